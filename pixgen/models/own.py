"""Own VQGANs: checkpoints that a person names by their path, or keeps in one folder."""

import hashlib
import os
from pathlib import Path

from pixgen.errors import ModelError
from pixgen.messages import Message, _
from pixgen.models.catalog import Entry, available_vqgans, known
from pixgen.models.checkpoints.sniffing import check_is_file
from pixgen.models.configs import read_vqgan_config
from pixgen.paths import is_hidden

SUFFIXES = (".ckpt", ".pt", ".pth", ".bin", ".safetensors")
# Names that many checkpoints have; their folder says which one it is.
_COMMON = ("last", "model", "pytorch_model", "diffusion_pytorch_model")
_CONFIGS = ("model.yaml", "config.yaml", "config.json")


def models_dir() -> Path | None:
    """The folder of own models, ``$PIXGEN_MODELS_DIR``, if one is named."""
    found = os.environ.get("PIXGEN_MODELS_DIR")
    return Path(found).expanduser().absolute() if found else None


def own_models() -> dict[str, tuple[Path, Path]]:
    """The checkpoints in ``models_dir()`` that a config describes, with it, by name.

    A config lies beside its checkpoint, under its name or as ``model.yaml``, ``config.yaml`` or
    ``config.json``, or as taming's logs have it, in ``configs`` beside ``checkpoints``.
    """
    folder = models_dir()
    if folder is None or not folder.is_dir():
        return {}
    found = {}
    for path in sorted(folder.rglob("*")):
        if is_hidden(path.relative_to(folder)) or path.suffix not in SUFFIXES or not path.is_file():
            continue
        if (config := config_of(path)) is not None:
            found.setdefault(_name(path, folder), (path, config))
    return found


def own_entries() -> tuple[list[Entry], list[Message]]:
    """The models in ``models_dir()`` that can be had, and of each other one a sentence that says why not."""
    entries, faults = [], []
    for name, (path, config) in own_models().items():
        try:
            check_is_file(path)
            entries.append(_entry(name, path, config))
        except ModelError as error:
            faults.append(_("“{name}” is left out: {reason}", name=name, reason=error.message))
    return entries, faults


def find_vqgan(name: str, config: str = "") -> Entry:
    """A VQGAN by its name in the catalog or among own models, or by its checkpoint's path.

    Raises ModelError, which says what there is or what is missing.
    """
    if not config and (entry := known(name, "vqgan")) is not None:
        return entry
    own = {} if config else own_models()
    if name in own:
        return _entry(name, *own[name])
    path = Path(name).expanduser()
    if path.suffix not in SUFFIXES and config:
        raise ModelError(
            "A config goes with an own checkpoint’s path, and “{name}” is none: leave it out.",
            name=name,
        )
    if path.suffix not in SUFFIXES:
        names = ", ".join([*available_vqgans(), *own])
        raise ModelError(
            "There is no picture model “{name}”: choose {names}, or a checkpoint's path.",
            name=name,
            names=names,
        )
    if not path.is_file():
        raise ModelError("There is no checkpoint “{name}”: check its path.", name=name)
    beside = Path(config).expanduser() if config else config_of(path)
    if beside is None:
        raise ModelError(
            "No config lies beside “{name}”: name it with --config, for example --config model.yaml.",
            name=path.name,
        )
    return _entry(path.stem, path, beside)


def config_of(checkpoint: Path) -> Path | None:
    """The config that lies beside a checkpoint, if one does."""
    folder = checkpoint.parent
    named = [checkpoint.with_suffix(suffix) for suffix in (".yaml", ".yml")]
    logs = sorted((folder.parent / "configs").glob("*project.yaml"), reverse=True)
    logs = logs if folder.name == "checkpoints" else []
    for path in (*named, *(folder / name for name in _CONFIGS), *logs):
        if path.is_file():
            return path
    return None


def _name(path: Path, folder: Path) -> str:
    relative = path.relative_to(folder).with_suffix("")
    if relative.name in _COMMON and len(relative.parts) > 1:
        relative = relative.parent
    if relative.name == "checkpoints" and len(relative.parts) > 1:
        relative = relative.parent
    return relative.as_posix()


def _entry(name: str, checkpoint: Path, config: Path) -> Entry:
    model = read_vqgan_config(config)
    try:
        params, facts = model["params"], checkpoint.stat()
    except OSError as error:
        raise ModelError(
            "There is no checkpoint “{name}”: check its path.", name=checkpoint.name
        ) from error
    path = str(checkpoint.resolve())
    return Entry(
        name=name, kind="vqgan", paints="own", licence="own", model=model,
        factor=2 ** (len(params["ddconfig"]["ch_mult"]) - 1), codes=params["n_embed"],
        megabytes=round(facts.st_size / 1e6), sources=(f"file:{path}",), home=path,
        key=f"own-{checkpoint.stem}-{hashlib.sha256(path.encode()).hexdigest()[:12]}",
        stamp=f"{facts.st_size} {facts.st_mtime_ns} {hashlib.sha256(repr(model).encode()).hexdigest()[:12]}",
    )  # fmt: skip
