"""Converted models in the cache: downloaded, verified, converted to safetensors once, and checked at each load.

A model may consist of several files; the function that converts them gets each by its name.
"""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixgen.errors import ModelError
from pixgen.messages import Message, _, join_messages
from pixgen.models import huggingface
from pixgen.models.cache import cache_folder, file_lock, file_name, models_folder
from pixgen.models.catalog import Entry
from pixgen.models.download import download, sha256_of

if TYPE_CHECKING:
    import torch

MANUAL_SUFFIXES = (
    ".ckpt",
    ".pt",
    ".pth",
    ".bin",
    ".msgpack",
)  # of files that a person may put into the cache
ZIP_MEMBER = "model.ckpt"  # in latent diffusion's zips
Files = Mapping[str, Path]  # the files of a model, by their names at the source
Convert = Callable[[Files], "dict[str, torch.Tensor]"]


@dataclass(frozen=True)
class Record:
    """Where converted weights come from: the source, its sha256, and that of the safetensors."""

    source: str
    source_sha256: str
    sha256: str
    stamp: str = ""


def find_weights(entry: Entry) -> Path | None:
    """The converted weights of a model, or None if there are none of its present file."""
    target = _weights_path(entry)
    record = _read_record(target)
    return target if target.exists() and record is not None and record.stamp == entry.stamp else None


def ensure_weights(entry: Entry, convert: Convert) -> Path:
    """A model's safetensors in the cache, downloaded and converted if they are missing.

    Args:
        convert: turns the files into weights, or raises ModelError if they do not fit the model.

    Raises ModelError if the model cannot be downloaded, has changed, or does not fit; StorageError.
    """
    target = models_folder() / _weights_path(entry).name
    with file_lock(target, model=entry.name):
        if find_weights(entry) is not None:
            check(entry)
            return target
        files, source = _fetch_files(entry)
        sha256 = _verify_hash(entry, files, source)
        weights = convert(files)
        _save_weights(weights, target)
        record = Record(source, sha256, sha256_of(target), entry.stamp)
        _write_json(_record_path(target), asdict(record))
        if not entry.stamp:
            _save_hash(entry.key or entry.name, sha256)
        _delete_downloads(files)
    return target


def check(entry: Entry) -> None:
    """Raise ModelError if the converted weights have changed since they were written."""
    target = _weights_path(entry)
    record = _read_record(target)
    if record is not None and sha256_of(target) != record.sha256:
        raise ModelError(
            "The file of “{name}” has changed since it was first read ({target}): remove it with `python "
            "-m pixgen models remove {name}` and download it again.",
            name=entry.name,
            target=target,
        )


def remove(entry: Entry) -> int:
    """Delete a model and its partial downloads from the caches; the number of bytes freed."""
    target, freed = _weights_path(entry), 0
    started = _downloads_folder().glob(f"{file_name(entry.name)}.*")
    for path in (target, _record_path(target), *started):
        if path.exists():
            freed += path.stat().st_size
            path.unlink()
    for source in entry.sources:
        if source.startswith("hub:"):
            repository, names = _parse_hub_source(source)
            freed += sum(huggingface.remove_file(repository, name) for name in names)
    return freed


def manual_file(entry: Entry) -> Path | None:
    """The file that a person has put into the cache for a model, or its folder if it has several files."""
    target = _weights_path(entry)
    paths = (*(target.with_suffix(suffix) for suffix in MANUAL_SUFFIXES), target)
    if _part_names(entry):
        paths = (target.with_suffix(""),)
    return None if entry.stamp else next((path for path in paths if path.exists()), None)


def preloaded_files(entry: Entry) -> tuple[Files, str] | None:
    """The files of a model, and their source, that are all in Hugging Face's cache already, as those are that a Space
    preloads; None if there are none."""
    for source in entry.sources:
        if source.startswith("hub:"):
            repository, names = _parse_hub_source(source)
            found = {name.rpartition("/")[2]: huggingface.cached_path(repository, name) for name in names}
            files = {name: path for name, path in found.items() if path is not None}
            if len(files) == len(names):
                return files, source
    return None


def manual_path(entry: Entry) -> Path:
    """Where a person may put a model's file, or the folder of its files."""
    target = _weights_path(entry)
    if _part_names(entry):
        return target.with_suffix("")
    flax = any(source.endswith(MANUAL_SUFFIXES[-1]) for source in entry.sources)
    return target.with_suffix(MANUAL_SUFFIXES[-1] if flax else MANUAL_SUFFIXES[0])


def _parse_hub_source(source: str) -> tuple[str, list[str]]:
    """The repository on Hugging Face and the files in it that a source names."""
    owner, name, files = source.removeprefix("hub:").split("/", 2)
    return f"{owner}/{name}", files.split("+")


def _part_names(entry: Entry) -> list[str]:
    """The names of a model's files if there are several, else none."""
    names = entry.sources[0].rpartition("/")[2].split("+")
    return names if len(names) > 1 else []


def _fetch_files(entry: Entry) -> tuple[Files, str]:
    """The files of a model, from the cache or the first source that serves them, and that source."""
    if (path := manual_file(entry)) is not None:
        paths = sorted(path.iterdir()) if path.is_dir() else [path]
        return {each.name: each for each in paths if each.is_file()}, f"file:{path}"
    if (preloaded := preloaded_files(entry)) is not None:
        return preloaded
    reasons = []
    for source in entry.sources:
        scheme, _colon, rest = source.partition(":")
        try:
            if scheme == "hub":
                repository, names = _parse_hub_source(source)
                return {
                    name.rpartition("/")[2]: huggingface.fetch(repository, name, model=entry.name)
                    for name in names
                }, source
            if scheme == "file":  # several, one a line
                return {Path(each).name: Path(each) for each in rest.split("\n")}, source
            if scheme == "zip":
                file = _unzip(entry, rest)
            else:
                file = _download(entry, source, ".ckpt", sha256=_expected_hash(entry))
            return {file.name: file}, source
        except ModelError as error:
            if "PIXGEN_CACHE" in str(error):  # the disk is full: another source does not help
                raise
            reasons.append(error.message)
    known = {
        "name": entry.name,
        "reasons": join_messages(dict.fromkeys(reasons), _("{first}; {second}")),
        "home": entry.home,
        "place": manual_path(entry),
    }
    if names := _part_names(entry):
        files = join_messages([Message(", ".join(names[:-1])), Message(names[-1])], _("{first} and {second}"))
        raise ModelError(
            "“{name}” cannot be downloaded ({reasons}): put {files} from {home} into {place}, or choose "
            "pocket, which needs no download.",
            files=files,
            **known,
        )
    if entry.sources[-1].startswith("zip:"):
        raise ModelError(
            "“{name}” cannot be downloaded ({reasons}): take the file {file} out of the zip from {home} "
            "and save it as {place}, or choose pocket, which needs no download.",
            file=ZIP_MEMBER,
            **known,
        )
    raise ModelError(
        "“{name}” cannot be downloaded ({reasons}): get its file from {home} and save it as {place}, or "
        "choose pocket, which needs no download.",
        **known,
    )


def _delete_downloads(files: Files) -> None:
    """Delete files that were downloaded only to be converted."""
    for file in files.values():
        if file.parent == _downloads_folder():
            file.unlink()


def _download(entry: Entry, url: str, suffix: str, *, sha256: str = "") -> Path:
    _downloads_folder().mkdir(parents=True, exist_ok=True)
    file = _downloads_folder() / f"{file_name(entry.name)}{suffix}"
    download([url], file, model=entry.name, sha256=sha256, megabytes=entry.megabytes)
    return file


def _unzip(entry: Entry, url: str) -> Path:
    packed = _download(entry, url, ".zip")
    file = packed.with_suffix(".ckpt")
    try:
        with (
            zipfile.ZipFile(packed) as archive,
            archive.open(ZIP_MEMBER) as member,
            file.open("wb") as out,
        ):
            shutil.copyfileobj(member, out, 1 << 20)
    except (zipfile.BadZipFile, KeyError) as error:
        packed.unlink()
        raise ModelError(
            "{host}: its zip is broken or contains no {checkpoint}",
            host=url.split("/")[2],
            checkpoint=ZIP_MEMBER,
        ) from error
    packed.unlink()
    return file


def _verify_hash(entry: Entry, files: Files, source: str) -> str:
    """The sha256 of the file, or of the files' hashes. Raises ModelError if another one is expected."""
    hashes = [sha256_of(files[name]) for name in sorted(files)]
    several = hashlib.sha256(" ".join(hashes).encode()).hexdigest()
    found, known = hashes[0] if len(hashes) == 1 else several, _expected_hash(entry)
    if known and found != known and not entry.stamp:
        _delete_downloads(files)
        trusted = (
            _("use it by its own path, with --model and --config")
            if entry.sha256
            else f"`python -m pixgen models remove {entry.name} --forget`"
        )
        raise ModelError(
            "The file of “{name}” is not the expected one (sha256 {found}… instead of {known}…, from "
            "{source}): remove it, or, if you trust it, {trusted}.",
            name=entry.name,
            found=found[:12],
            known=known[:12],
            source=source,
            trusted=trusted,
        )
    return found


def _expected_hash(entry: Entry) -> str:
    """The published sha256, else that of the first file that could be converted."""
    return entry.sha256 or _read_hashes().get(entry.key or entry.name, "")


def forget_hash(entry: Entry) -> None:
    """Forget a model's hash, so that the next file is trusted."""
    hashes = _read_hashes()
    if hashes.pop(entry.key or entry.name, None):
        _write_json(_hashes_path(), hashes)


def _save_hash(name: str, sha256: str) -> None:
    _write_json(_hashes_path(), {**_read_hashes(), name: sha256})


def _hashes_path() -> Path:
    return cache_folder() / "hashes.json"


def _read_hashes() -> dict[str, str]:
    try:
        return json.loads(_hashes_path().read_text())
    except (OSError, ValueError):
        return {}


def _save_weights(weights: "dict[str, torch.Tensor]", target: Path) -> None:
    from safetensors.torch import save_file  # here: it loads torch, and listing does not need it

    part = target.with_name(target.name + ".part")
    save_file({name: tensor.contiguous().clone() for name, tensor in weights.items()}, part)
    os.replace(part, target)


def _write_json(path: Path, value: dict) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=1))
    os.replace(part, path)


def _read_record(target: Path) -> Record | None:
    try:
        return Record(**json.loads(_record_path(target).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _record_path(target: Path) -> Path:
    return target.with_suffix(".json")


def _weights_path(entry: Entry) -> Path:
    return cache_folder() / "models" / f"{file_name(entry.key or entry.name)}.safetensors"


def _downloads_folder() -> Path:
    return cache_folder() / "downloads"
