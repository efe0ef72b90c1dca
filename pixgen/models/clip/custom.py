"""Find custom CLIPs: a checkpoint or a folder named by its path, or by its name in ``PIXGEN_MODELS_DIR``.

``path/to/ViT-B-32.pt`` is OpenAI's archive or its state dict, or a checkpoint of open_clip, whose architecture is
inferred from its shapes, named before the path (``ViT-H-14:path/to/model.pt``), or read from open_clip's config
beside it (``model.json``). A folder, with or without ``local-dir:`` before it, is one of open_clip, with
``open_clip_config.json``, or a CLIP or SigLIP of Hugging Face, with ``config.json``. Loads no torch: the list of models uses it.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from pixgen.errors import ModelError
from pixgen.messages import Message, _
from pixgen.models.cache import models_dir
from pixgen.models.catalog import Entry
from pixgen.models.checkpoints.sniffing import holds_clip
from pixgen.paths import CHECKPOINTS, is_hidden, split_name
from pixgen.text_files import parse_json

OPEN_CLIP_CONFIG, CONFIG, PREPROCESSOR_CONFIG = (
    "open_clip_config.json",
    "config.json",
    "preprocessor_config.json",
)
_OPEN_CLIP_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
_HUGGING_FACE_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def find_custom_clip(name: str) -> Entry | None:
    """The entry of a custom CLIP by its path or its name in ``PIXGEN_MODELS_DIR``; None if the name is neither.

    Raises ModelError if its file is missing or its config is broken.
    """
    named = custom_clips().get(name)
    found = ("", named) if named is not None else split_name(name)
    if found is None:
        return None
    form, path = found
    if path.is_dir():
        files, facts = _read_folder(path)
    elif path.is_file():
        beside = path.with_suffix(".json")
        files, facts = [path], {"open_clip": read_json(beside)} if beside.is_file() else {}
    else:
        raise ModelError("There is no CLIP file “{name}”: check its path.", name=str(path))
    if missing := [file.name for file in files if not file.is_file()]:
        raise ModelError(
            "The CLIP {name} is incomplete: {files} is missing. Download it again.",
            name=path.name,
            files=", ".join(missing[:3]),
        )
    stats = [file.stat() for file in files]
    place = str(path.resolve())
    described = hashlib.sha256(repr((form, facts)).encode()).hexdigest()[:12]
    return Entry(
        name=name,
        kind="clip",
        paints="own",
        licence="own",
        model=facts,
        form=form,
        home=place,
        megabytes=round(sum(each.st_size for each in stats) / 1e6),
        sources=("file:" + "\n".join(str(file.resolve()) for file in files),),
        key=f"own-{path.stem}-{hashlib.sha256(f'{form}:{place}'.encode()).hexdigest()[:12]}",
        stamp=" ".join([*(f"{each.st_size} {each.st_mtime_ns}" for each in stats), described]),
    )


def custom_clips() -> dict[str, Path]:
    """The CLIPs in ``PIXGEN_MODELS_DIR`` by name: folders with a CLIP's config, and checkpoints with its weights.

    A name is the path in that folder, without a checkpoint's suffix.
    """
    folder = models_dir()
    if folder is None or not folder.is_dir():
        return {}
    clips: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if is_hidden(relative):
            continue
        if path.is_dir():
            if _is_clip_folder(path):
                clips.setdefault(relative.as_posix(), path)
        elif path.suffix in CHECKPOINTS and not _is_clip_folder(path.parent) and _is_clip_file(path):
            clips.setdefault(relative.with_suffix("").as_posix(), path)
    return clips


def custom_clip_entries() -> tuple[list[Entry], list[Message]]:
    """The CLIPs in ``PIXGEN_MODELS_DIR`` that can be used, and a sentence for each other one that says why not."""
    entries, faults = [], []
    for name in custom_clips():
        try:
            if (entry := find_custom_clip(name)) is not None:
                entries.append(entry)
        except ModelError as error:
            faults.append(_("“{name}” was left out: {reason}", name=name, reason=error.message))
    return entries, faults


def is_clip(checkpoint: Path) -> bool:
    """Whether a checkpoint is a CLIP, by the config in its folder or the names of its weights."""
    return _is_clip_folder(checkpoint.parent) or _is_clip_file(checkpoint)


def _is_clip_folder(folder: Path) -> bool:
    if (folder / OPEN_CLIP_CONFIG).is_file():
        return True
    try:
        config = read_json(folder / CONFIG)
    except ModelError:
        return False
    return config.get("model_type") in ("clip", "siglip")


def _is_clip_file(path: Path) -> bool:
    try:
        facts = path.stat()
    except OSError:
        return False
    return _holds_clip(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(1024)
def _holds_clip(path: Path, size: int, modified: int) -> bool:
    """``holds_clip``, read once for a file of this size and time."""
    return holds_clip(path)


def _read_folder(folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """The weight files in a folder, and its configs by their kind."""
    facts: dict[str, Any] = {"folder": str(folder.resolve())}
    if (folder / OPEN_CLIP_CONFIG).is_file():
        files = _first_existing(folder, _OPEN_CLIP_WEIGHTS) or _any_checkpoint(folder)
        if files:
            return files, {**facts, "open_clip": read_json(folder / OPEN_CLIP_CONFIG)}
    if (folder / CONFIG).is_file():
        facts["hugging_face"] = read_json(folder / CONFIG)
        if (folder / PREPROCESSOR_CONFIG).is_file():
            facts["pictures"] = read_json(folder / PREPROCESSOR_CONFIG)
        if files := _first_existing(folder, _HUGGING_FACE_WEIGHTS) or _any_checkpoint(folder):
            return files, facts
    elif len(files := _any_checkpoint(folder)) == 1:
        return files, facts
    if not (folder / CONFIG).is_file() and not (folder / OPEN_CLIP_CONFIG).is_file():
        raise ModelError(
            "The folder {name} contains no CLIP: open_clip_config.json or Hugging Face's config.json is "
            "expected, with weights beside it.",
            name=str(folder),
        )
    raise ModelError(
        "The folder {name} contains no CLIP weights: put its safetensors file there.", name=str(folder)
    )


def _first_existing(folder: Path, names: tuple[str, ...]) -> list[Path]:
    for name in names:
        if (folder / name).is_file():
            if not name.endswith(".index.json"):
                return [folder / name]
            parts = read_json(folder / name).get("weight_map", {}).values()
            # File names alone: an index must not lead out of the folder.
            return [folder / part for part in sorted({Path(str(part)).name for part in parts})]
    return []


def _any_checkpoint(folder: Path) -> list[Path]:
    found = [path for path in sorted(folder.iterdir()) if path.suffix in CHECKPOINTS and path.is_file()]
    safe = [path for path in found if path.suffix == ".safetensors"]
    return (safe or found)[:1]


def read_json(path: Path) -> dict[str, Any]:
    """A config in JSON. Raises ModelError."""
    try:
        found = parse_json(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError("The config {name} is missing or broken: check its path.", name=path.name) from error
    if not isinstance(found, dict):
        raise ModelError("The config {name} is missing or broken: check its path.", name=path.name)
    return found
