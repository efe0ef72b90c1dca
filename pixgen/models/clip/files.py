"""Weight files of open_clip's models: in Hugging Face's cache, or put into pixgen's cache by hand."""

from pathlib import Path

from pixgen.errors import ModelError
from pixgen.models import huggingface
from pixgen.models.cache import cache_folder, file_name
from pixgen.models.catalog import Entry, check_packages
from pixgen.models.download import sha256_of

# The weight files of a repository, safetensors first.
_WEIGHT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
_MANUAL_SUFFIXES = (".safetensors", ".bin", ".pt")  # of files that a person may put into the cache


def fetch(entry: Entry) -> Path:
    """The file of a CLIP's weights, downloaded if it is missing.

    Raises ModelError, which says which file to put where if it cannot be downloaded.
    """
    check_packages(entry)
    if (found := find_file(entry)) is not None:
        return found
    repository, files = _repository(entry)
    for file in files:
        try:
            return huggingface.fetch(repository, file, model=entry.name)
        except ModelError as error:
            reason = error.message
            if not isinstance(error, huggingface.NoSuchFile):
                break
    raise ModelError(
        "“{name}” cannot be downloaded ({reason}): get {file} from https://huggingface.co/{repository} and "
        "save it as {path}, or choose pocket, which needs no download.",
        name=entry.name,
        reason=reason,
        file=files[0],
        repository=repository,
        path=_manual_paths(entry)[0],
    )


def find_file(entry: Entry) -> Path | None:
    """The file of a CLIP's weights, if it is on this machine."""
    repository, files = _repository(entry)
    found = [path for path in _manual_paths(entry) if path.exists()]
    found += [path for file in files if (path := huggingface.cached_path(repository, file)) is not None]
    return found[0] if found else None


def check(entry: Entry) -> str:
    """The sha256 of a CLIP's file. Raises ModelError if it is not the one that Hugging Face promises."""
    path = find_file(entry)
    if path is None:
        raise ModelError("“{name}” has not been downloaded: download it first.", name=entry.name)
    if not huggingface.is_verified(path):
        raise ModelError(
            "The file of “{name}” has changed since it was downloaded ({path}): remove it with `python -m "
            "pixgen models remove {name}` and download it again.",
            name=entry.name,
            path=path,
        )
    return sha256_of(path)


def remove(entry: Entry) -> int:
    """Delete a CLIP from the caches; the number of bytes freed."""
    freed = 0
    for path in _manual_paths(entry):
        if path.exists():
            freed += path.stat().st_size
            path.unlink()
    return freed + huggingface.remove(_repository(entry)[0])


def _manual_paths(entry: Entry) -> list[Path]:
    folder = cache_folder() / "models"
    return [folder / f"{file_name(entry.name)}{suffix}" for suffix in _MANUAL_SUFFIXES]


def _repository(entry: Entry) -> tuple[str, tuple[str, ...]]:
    """The repository on Hugging Face, and the files in it to try in turn."""
    owner, repository, *file = entry.sources[0].removeprefix("hub:").split("/", 2)
    if not any(file):
        return f"{owner}/{repository}", _WEIGHT_FILES
    safe = file[0].rsplit(".", 1)[0] + ".safetensors"
    return f"{owner}/{repository}", (safe, file[0])
