"""The files of an UnCLIP: two repositories in Hugging Face's cache, or a folder put into pixgen's by hand."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from pixgen.errors import ModelError
from pixgen.models import huggingface
from pixgen.models.cache import cache_folder, file_name
from pixgen.models.catalog import Entry
from pixgen.models.download import sha256_of

INDEX = "model_index.json"
IMAGE_PARTS = ("image_encoder", "feature_extractor")  # of the second repository: the image encoder
_WEIGHT_SUFFIXES = (".safetensors", ".bin")  # the safe ones first


def is_unclip(entry: Entry) -> bool:
    """Whether a model of the catalog is an UnCLIP."""
    return entry.kind == "sketcher" and entry.architecture == "unclip"


def fetch_folders(entry: Entry) -> tuple[Path, Path]:
    """The folders of the pipeline and of its image encoder, downloaded if missing. Raises ModelError."""
    return _find(entry) or _fetch_parts(entry)


def find_folder(entry: Entry) -> Path | None:
    """The folder of an UnCLIP, if it is on this machine and whole."""
    found = _find(entry)
    return found and found[0]


def list_files(entry: Entry) -> list[Path]:
    """All its files on this machine."""
    folder, seeing = _find(entry) or (None, None)
    if folder is None:
        return []
    found = set(folder.rglob("*")) | {path for name in IMAGE_PARTS for path in (seeing / name).rglob("*")}
    return sorted(path for path in found if path.is_file())


def check(entry: Entry) -> str:
    """One sha256 of all its files. Raises ModelError if one is not what Hugging Face says."""
    found = list_files(entry)
    if not found:
        raise ModelError("“{name}” has not been downloaded: download it first.", name=entry.name)
    for path in found:
        if not huggingface.is_verified(path):
            raise ModelError(
                "The file {name} of “{entry_name}” has changed since it was downloaded ({path}): remove it "
                "with `python -m pixgen models remove {entry_name}` and download it again.",
                name=path.name,
                entry_name=entry.name,
                path=path,
            )
    return hashlib.sha256(" ".join(map(sha256_of, found)).encode()).hexdigest()


def remove(entry: Entry) -> int:
    """Delete an UnCLIP from the caches; the number of bytes freed."""
    own, freed = manual_folder(entry), 0
    if own.is_dir():
        freed = sum(path.stat().st_size for path in own.rglob("*") if path.is_file())
        shutil.rmtree(own)
    return freed + sum(map(huggingface.remove, repositories(entry)))


def weight_bytes(entry: Entry, *, half: bool) -> int:
    """Bytes of the weights once they are loaded. Raises ModelError if they are not on this machine."""
    found = [path for path in list_files(entry) if path.suffix in _WEIGHT_SUFFIXES]
    if not found:
        raise ModelError("“{name}” has not been downloaded: download it first.", name=entry.name)
    return sum(path.stat().st_size for path in found) // (2 if half else 1)


def manual_folder(entry: Entry) -> Path:
    """Where a person may put its folder, with the image encoder's parts in it."""
    return cache_folder() / "models" / file_name(entry.name)


def repositories(entry: Entry) -> tuple[str, str]:
    """Its repositories on Hugging Face: of the pipeline, and of the image encoder."""
    painting, seeing = (source.removeprefix("hub:") for source in entry.sources)
    return painting, seeing


def _find(entry: Entry) -> tuple[Path, Path] | None:
    own = manual_folder(entry)
    if _is_complete(own, _indexed_parts(own)) and _is_complete(own, IMAGE_PARTS):
        return own, own
    found = []
    for repository, mark in zip(repositories(entry), (INDEX, f"{IMAGE_PARTS[0]}/config.json"), strict=True):
        path = huggingface.cached_path(repository, mark)
        found.append(path and path.parents[mark.count("/")])
    folder, seeing = found
    if (
        folder
        and seeing
        and _is_complete(folder, _indexed_parts(folder))
        and _is_complete(seeing, IMAGE_PARTS)
    ):
        return folder, seeing
    return None


def _indexed_parts(folder: Path) -> tuple[str, ...]:
    """The parts that a folder's index names; none if it has no index."""
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        return tuple(name for name, what in index.items() if isinstance(what, list) and what[0])
    except (OSError, ValueError, AttributeError):
        return ()


def _is_complete(folder: Path, parts: Sequence[str]) -> bool:
    """Whether every part is complete: files, and weights if it has a network's config."""
    for part in parts:
        has = {path.suffix for path in (folder / part).glob("*") if path.exists()}
        network = (folder / part / "config.json").exists()
        if not has or (network and not has & set(_WEIGHT_SUFFIXES)):
            return False
    return bool(parts)


def _fetch_parts(entry: Entry) -> tuple[Path, Path]:
    painting, seeing = repositories(entry)
    try:
        for repository, only in ((painting, None), (seeing, IMAGE_PARTS)):
            for file in needed_files(huggingface.list_files(repository), only):
                huggingface.fetch(repository, file, model=entry.name)
    except ModelError as error:
        raise ModelError(
            "“{name}” cannot be downloaded ({reason}): put the folders of {home}, and {folders} of "
            "https://huggingface.co/{repository}, into {place}, or choose pocket, which needs no download.",
            name=entry.name,
            reason=error.message,
            home=entry.home,
            repository=seeing,
            folders=" and ".join(IMAGE_PARTS),
            place=manual_folder(entry),
        ) from error
    found = _find(entry)
    if found is None:
        raise ModelError(
            "A part of the download of “{name}” is missing: remove it and download it again.",
            name=entry.name,
        )
    return found


def needed_files(names: Sequence[str], only: Sequence[str] | None) -> list[str]:
    """The files of a repository to download: of each part's weights the safetensors in full precision."""
    needed = []
    for name in names:
        folder, _, file = name.rpartition("/")
        if (folder not in only) if only else not folder and name != INDEX:
            continue
        stem, _, suffix = file.rpartition(".")
        if f".{suffix}" in _WEIGHT_SUFFIXES:
            safe = any(
                other.startswith(f"{folder}/") and other.endswith(_WEIGHT_SUFFIXES[0]) for other in names
            )
            if "." in stem or (safe and suffix == "bin"):  # a variant; or another spelling
                continue
        needed.append(name)
    return needed
