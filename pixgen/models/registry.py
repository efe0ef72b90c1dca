"""List, find, download, verify and remove models by name, whatever their kind."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pixgen.errors import ModelError
from pixgen.models import store
from pixgen.models.catalog import Entry, available_clips, entries, find_entry
from pixgen.models.clip import files
from pixgen.models.clip.custom import custom_clip_entries, custom_clips, find_custom_clip
from pixgen.models.sketchers import unclip_files as unclip
from pixgen.models.vqgan.custom import custom_entries, find_config, find_vqgan
from pixgen.paths import CHECKPOINTS, split_name

State = Literal["bundled", "here", "own", "to fetch"]
_FACT_FIELDS = ("name", "kind", "factor", "codes", "megabytes", "licence", "paints", "sources", "sha256", "home",
          "imagenet", "gflops", "needs")  # fmt: skip


@dataclass(frozen=True)
class RegisteredModel:
    """A model, and whether it is on this machine."""

    entry: Entry
    state: State

    def facts(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {**{name: getattr(self.entry, name) for name in _FACT_FIELDS}, "state": self.state}


def list_models(*, everything: bool = False) -> list[RegisteredModel]:
    """The catalog, then custom models; with ``everything`` also each CLIP that open_clip lists."""
    found = [entry for entry in entries() if entry.name != "pocket-judge"]
    found += [*custom_entries()[0], *custom_clip_entries()[0]]
    if everything:
        from pixgen.models.clip.open_clip import open_clip_entry, open_clip_names  # here: it loads torch

        found += [open_clip_entry(name) for name in open_clip_names() if find_entry(name, "clip") is None]
    return [RegisteredModel(entry, state_of(entry)) for entry in found]


def state_of(entry: Entry) -> State:
    """Whether a model is on this machine, ready without a network."""
    if entry.bundled:
        return "bundled"
    if entry.stamp:
        return "own"
    if unclip.is_unclip(entry):
        return "here" if unclip.find_folder(entry) is not None else "to fetch"
    if entry.kind in ("vqgan", "sketcher"):
        ways = (store.find_weights, store.manual_file, store.preloaded_files)
        return "here" if any(way(entry) is not None for way in ways) else "to fetch"
    return "here" if files.find_file(entry) is not None else "to fetch"


def ready_names() -> tuple[str, ...]:
    """The catalog's names, of any kind, that are on this machine: what visitors of a public page may use."""
    ready = [entry.name for entry in entries() if state_of(entry) in ("bundled", "here")]
    return tuple(dict.fromkeys(name for name in ready if name != "pocket-judge"))


def find_model(name: str) -> Entry:
    """The model of that name or path: a VQGAN, a CLIP, or a sketch model. Raises ModelError."""
    for kind in ("vqgan", "clip", "sketcher"):
        if (entry := find_entry(name, kind)) is not None:
            return entry
    if name in custom_clips() and (clip := find_custom_clip(name)) is not None:
        return clip
    if "/" in name and not Path(name).exists() or split_name(name) is not None:
        from pixgen.models.clip.open_clip import find_clip

        if find_config(Path(name)) is None or Path(name).suffix not in CHECKPOINTS:
            return find_clip(name)
    try:
        return find_vqgan(name)
    except ModelError as error:
        raise ModelError(
            "{error} CLIPs are {choices}, and all of open_clip's.",
            error=error.message,
            choices=", ".join(available_clips()),
        ) from error


def fetch(entry: Entry) -> Path | None:
    """The file of a model, downloaded and converted; None if it is bundled. Raises ModelError."""
    if entry.bundled:
        return None
    if entry.kind == "vqgan":
        from pixgen.models.vqgan.vqgan import fetch_vqgan

        return fetch_vqgan(entry)
    if entry.kind == "clip" and entry.stamp:
        from pixgen.models.clip.custom_models import fetch_custom_clip

        return fetch_custom_clip(entry)
    if entry.kind == "sketcher":
        from pixgen.models.sketchers.factory import fetch_sketcher

        return fetch_sketcher(entry)
    return files.fetch(entry)


def check(entry: Entry) -> str:
    """The sha256 of a model's file. Raises ModelError if it is missing or has changed."""
    from pixgen.models.download import sha256_of

    if entry.bundled:
        return sha256_of(entry.weights)
    if entry.kind == "clip" and not entry.stamp:
        return files.check(entry)
    if unclip.is_unclip(entry):
        return unclip.check(entry)
    kept = store.find_weights(entry)
    if kept is None:
        raise ModelError("“{name}” has not been downloaded: download it first.", name=entry.name)
    store.check(entry)
    return sha256_of(kept)


def remove(entry: Entry, *, forget: bool = False) -> int:
    """Delete a model from the caches; the number of bytes freed. Raises ModelError for a bundled one."""
    if entry.bundled:
        raise ModelError("“{name}” is part of pixgen and cannot be removed.", name=entry.name)
    if entry.kind == "clip" and not entry.stamp:
        return files.remove(entry)
    if unclip.is_unclip(entry):
        return unclip.remove(entry)
    if forget:
        store.forget_hash(entry)
    return store.remove(entry)
