"""VQGANs that are kept in the cache: fetched, verified, turned into safetensors once, checked ever after."""

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixgen.errors import ModelError
from pixgen.models import hub
from pixgen.models.cache import cache_folder, file_name, locked, models_folder
from pixgen.models.catalog import Entry
from pixgen.models.download import download, hash_of

if TYPE_CHECKING:
    import torch

PLACED = (".ckpt", ".pt", ".pth", ".bin")  # files that a person may put into the folder
CHECKPOINT = "model.ckpt"  # in latent diffusion's zips
Convert = Callable[[Path], "dict[str, torch.Tensor]"]


@dataclass(frozen=True)
class Record:
    """What is known of a kept model: the hash of its safetensors, and of the file it was made from."""

    source: str
    source_sha256: str
    sha256: str
    stamp: str = ""


def kept(entry: Entry) -> Path | None:
    """The safetensors of a model that is kept, or None."""
    target = _target(entry)
    record = _record(target)
    return (
        target if target.exists() and record is not None and record.stamp == entry.stamp else None
    )


def stored(entry: Entry, convert: Convert) -> Path:
    """A model's safetensors in the cache, fetched and converted if they are not there.

    Args:
        convert: makes the weights of a checkpoint's file, or raises ModelError if they do not fit.

    Raises ModelError if it cannot be had, was changed, or does not fit; StorageError.
    """
    target = models_folder() / _target(entry).name
    with locked(target, model=entry.name):
        if kept(entry) is not None:
            check(entry)
            return target
        file, source = _bring(entry)
        sha256 = _first_hash(entry, file, source)
        weights = convert(file)
        _save(weights, target)
        record = Record(source, sha256, hash_of(target), entry.stamp)
        _write(_facts(target), asdict(record))
        if not entry.stamp:
            _remember(entry.key or entry.name, sha256)
        if file.parent == _downloads():
            file.unlink()
    return target


def check(entry: Entry) -> None:
    """Raise ModelError if a kept model is not what it was when it was first read."""
    target = _target(entry)
    record = _record(target)
    if record is not None and hash_of(target) != record.sha256:
        raise ModelError(
            f"The file of “{entry.name}” has changed since it was first read ({target}): remove it with "
            f"`python -m pixgen models remove {entry.name}`, and fetch it again."
        )


def remove(entry: Entry) -> int:
    """Take a model out of the cache, parts of downloads too; the bytes that this frees."""
    target, freed = _target(entry), 0
    started = _downloads().glob(f"{file_name(entry.name)}.*")
    for path in (target, _facts(target), *started):
        if path.exists():
            freed += path.stat().st_size
            path.unlink()
    return freed


def placed(entry: Entry) -> Path | None:
    """The file that a person has put into the cache for a model, if there is one."""
    target = _target(entry)
    paths = (*(target.with_suffix(suffix) for suffix in PLACED), target)
    return None if entry.stamp else next((path for path in paths if path.exists()), None)


def place_for(entry: Entry) -> Path:
    """Where a person may put a model's file."""
    return _target(entry).with_suffix(PLACED[0])


def _bring(entry: Entry) -> tuple[Path, str]:
    """The file to read and where it is from."""
    if (path := placed(entry)) is not None:
        return path, f"file:{path}"
    reasons = []
    for source in entry.sources:
        scheme, _, rest = source.partition(":")
        try:
            if scheme == "file":
                return Path(rest), source
            if scheme == "hub":
                owner, name, file = rest.split("/", 2)
                return hub.fetch(f"{owner}/{name}", file, model=entry.name), source
            if scheme == "zip":
                return _unzipped(entry, rest), source
            return _downloaded(entry, source, ".ckpt", sha256=_known_hash(entry)), source
        except ModelError as error:
            if "PIXGEN_CACHE" in str(error):  # no room: another address does not help
                raise
            reasons.append(str(error))
    file = (
        f"its file {CHECKPOINT} out of the zip"
        if entry.sources[-1].startswith("zip:")
        else "its file"
    )
    raise ModelError(
        f"“{entry.name}” cannot be fetched ({'; '.join(reasons)}): put {file} from {entry.home} at "
        f"{place_for(entry)}, or choose pocket, which needs none."
    )


def _downloaded(entry: Entry, url: str, suffix: str, *, sha256: str = "") -> Path:
    _downloads().mkdir(parents=True, exist_ok=True)
    file = _downloads() / f"{file_name(entry.name)}{suffix}"
    download([url], file, model=entry.name, sha256=sha256, megabytes=entry.megabytes)
    return file


def _unzipped(entry: Entry, url: str) -> Path:
    packed = _downloaded(entry, url, ".zip")
    file = packed.with_suffix(".ckpt")
    try:
        with (
            zipfile.ZipFile(packed) as archive,
            archive.open(CHECKPOINT) as member,
            file.open("wb") as out,
        ):
            shutil.copyfileobj(member, out, 1 << 20)
    except (zipfile.BadZipFile, KeyError) as error:
        packed.unlink()
        raise ModelError(
            f"{url.split('/')[2]}: its zip is broken or holds no {CHECKPOINT}"
        ) from error
    packed.unlink()
    return file


def _first_hash(entry: Entry, file: Path, source: str) -> str:
    """The file's hash. Raises ModelError if it is another than the one known."""
    found, known = hash_of(file), _known_hash(entry)
    if known and found != known and not entry.stamp:
        if file.parent == _downloads():
            file.unlink()
        trusted = (
            "paint with it by its own path, --model and --config"
            if entry.sha256
            else f"`python -m pixgen models remove {entry.name} --forget`"
        )
        raise ModelError(
            f"The file of “{entry.name}” is not the one that is known (sha256 {found[:12]}… instead of {known[:12]}…, "
            f"from {source}): remove it, or {trusted} if you trust it."
        )
    return found


def _known_hash(entry: Entry) -> str:
    """The published hash, else that of the first file that was read without a fault."""
    return entry.sha256 or _hashes().get(entry.key or entry.name, "")


def forget(entry: Entry) -> None:
    """Take the next file as the first one."""
    hashes = _hashes()
    if hashes.pop(entry.key or entry.name, None):
        _write(_hashes_file(), hashes)


def _remember(name: str, sha256: str) -> None:
    _write(_hashes_file(), {**_hashes(), name: sha256})


def _hashes_file() -> Path:
    return cache_folder() / "hashes.json"


def _hashes() -> dict[str, str]:
    try:
        return json.loads(_hashes_file().read_text())
    except (OSError, ValueError):
        return {}


def _save(weights: "dict[str, torch.Tensor]", target: Path) -> None:
    from safetensors.torch import save_file  # here: it loads torch, and listing does not need it

    part = target.with_name(target.name + ".part")
    save_file({name: tensor.contiguous().clone() for name, tensor in weights.items()}, part)
    os.replace(part, target)


def _write(path: Path, value: dict) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(value, indent=1))
    os.replace(part, path)


def _record(target: Path) -> Record | None:
    try:
        return Record(**json.loads(_facts(target).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _facts(target: Path) -> Path:
    return target.with_suffix(".json")


def _target(entry: Entry) -> Path:
    return cache_folder() / "models" / f"{file_name(entry.key or entry.name)}.safetensors"


def _downloads() -> Path:
    return cache_folder() / "downloads"
