"""The catalog of models by name: bundled ones, and published ones that can be downloaded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pixgen.errors import ModelError
from pixgen.messages import _
from pixgen.paths import ASSETS

Kind = Literal["vqgan", "clip", "sketcher"]

# taming's ``ddconfig`` of every model with factor 16; others differ in a few of these.
_DEFAULT_LAYERS = {
    "double_z": False, "z_channels": 256, "resolution": 256, "in_channels": 3, "out_ch": 3, "ch": 128,
    "ch_mult": (1, 1, 2, 2, 4), "num_res_blocks": 2, "attn_resolutions": (16,), "dropout": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A model of the catalog, or a custom one.

    Args:
        config, weights: a bundled model's JSON config and its safetensors.
        model: a VQGAN's ``model`` node as in taming's configs, unless it is bundled; the numbers of a DALL·E
            mini; a custom CLIP's configs.
        vqgan: the name of the VQGAN whose codes a sketch model samples, unless it is bundled; or whose codes and
            encoder a VQGAN shares.
        sources: where a model's file is, tried in turn: a URL, ``zip:`` and the URL of a zip that holds it,
            ``hub:`` and its repository and path on Hugging Face (several paths joined by +), or ``file:``.
        open_clip, form: a CLIP's name in open_clip, and its architecture if the name does not say it.
        sha256: of the file, if it is known.
        imagenet: a CLIP's published zero-shot accuracy, in percent.
        gflops: of one cutout through a CLIP.
        needs: packages to install for this model alone.
        multilingual: whether a CLIP was trained on texts in many languages.
        key, stamp: of a custom checkpoint: the name of its converted file, and a text that changes with the
            checkpoint.
    """

    name: str
    kind: Kind
    paints: str
    licence: str
    config: Path | None = None
    weights: Path | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    vqgan: str = ""
    factor: int | None = None
    codes: int | None = None
    megabytes: int | None = None
    sources: tuple[str, ...] = ()
    open_clip: str = ""
    form: str = ""
    sha256: str = ""
    home: str = ""
    imagenet: float | None = None
    gflops: float | None = None
    needs: str = ""
    multilingual: bool = False
    key: str = ""
    stamp: str = ""

    @property
    def bundled(self) -> bool:
        """Whether it comes with pixgen."""
        return self.weights is not None

    @property
    def architecture(self) -> str:
        """A sketch model's architecture: a key of ``pixgen.recipe.init.SKETCHERS``."""
        if self.bundled:
            return "pocket"
        return "dalle" if self.model else "unclip"


def entries(kind: Kind | None = None) -> list[Entry]:
    """All entries of the catalog, or those of one kind; bundled models first."""
    return [entry for entry in _table() if kind in (None, entry.kind)]


def available_vqgans() -> list[str]:
    """The names that ``load_vqgan`` takes, besides custom checkpoints."""
    return [entry.name for entry in entries("vqgan")]


def available_clips() -> list[str]:
    """The names that ``load_perceptor`` takes, besides open_clip's own. ``pocket-judge`` is for the bench alone
    and is not listed."""
    return [entry.name for entry in entries("clip") if entry.name != "pocket-judge"]


def available_sketchers() -> list[str]:
    """The names that ``load_sketcher`` takes."""
    return [entry.name for entry in entries("sketcher")]


def find_entry(name: str, kind: Kind) -> Entry | None:
    """The entry of that name, if there is one."""
    return next((entry for entry in entries(kind) if entry.name == name), None)


def get_entry(name: str, kind: Kind) -> Entry:
    """The entry of that name. Raises ModelError, which lists the names."""
    if (entry := find_entry(name, kind)) is not None:
        return entry
    what, names = {
        "vqgan": (_("image model"), available_vqgans()),
        "clip": ("CLIP", available_clips()),
        "sketcher": (_("sketch model"), available_sketchers()),
    }[kind]
    raise ModelError(
        "There is no {what} “{name}”: choose {choices}.",
        what=what,
        name=name,
        choices=", ".join(names),
    )


def check_packages(entry: Entry) -> None:
    """Raise ModelError if a package that it needs is missing."""
    missing = [name for name in entry.needs.split() if find_spec(name) is None]
    if missing:
        raise ModelError(
            "“{name}” needs {missing}, which is not installed: run pip install {packages}.",
            name=entry.name,
            missing=" and ".join(missing),
            packages=" ".join(missing),
        )


def code_family(name: str) -> str:
    """The name of the VQGAN whose codes a VQGAN decodes: its own, unless the catalog says that it shares another's."""
    entry = find_entry(name, "vqgan")
    return entry.vqgan if entry and entry.vqgan else name


_BUNDLED_NAMES = {"judge": "pocket-judge", "vqgan-2": "pocket-2"}  # of files; all others are called pocket
_POCKET_CODES = {"factor": 8, "codes": 4096}


@lru_cache
def _table() -> tuple[Entry, ...]:
    pocket = ASSETS / "pocket"

    def bundled(kind: Kind, stem: str, paints: str, **facts: Any) -> Entry:
        return Entry(
            _BUNDLED_NAMES.get(stem, "pocket"),
            kind,
            paints,
            "CC BY-SA 4.0",
            config=pocket / f"{stem}.json",
            weights=pocket / f"{stem}.safetensors",
            **facts,
        )

    return (
        bundled("vqgan", "vqgan-2", "drawings, in seconds on a CPU", vqgan="pocket", **_POCKET_CODES),
        bundled("vqgan", "vqgan", "the same, as recipes of earlier versions name it", **_POCKET_CODES),
        *(_vqgan_entry(name, facts) for name, facts in _read_catalog("vqgans").items()),
        bundled("clip", "clip", "drawings of things, in plain colours", gflops=0.18),
        bundled("clip", "judge", "nothing: it measures pictures"),
        *(
            Entry(name=name, kind="clip", **{"open_clip": name, **facts, "sources": tuple(facts["sources"])})
            for name, facts in _read_catalog("clips").items()
        ),
        bundled("sketcher", "sketcher", "sketches as codes of the bundled VQGAN, from a text"),
        *(
            Entry(name=name, kind="sketcher", **{**facts, "sources": tuple(facts["sources"])})
            for name, facts in _read_catalog("sketchers").items()
        ),
    )


def _vqgan_entry(name: str, facts: dict[str, Any]) -> Entry:
    kind, width = facts.pop("kind", "VQModel"), facts.pop("width", 256)
    layers = {**_DEFAULT_LAYERS, **facts.pop("layers", {})}
    params = {
        "embed_dim": width,
        "n_embed": facts["codes"],
        "ddconfig": layers,
        **facts.pop("params", {}),
    }
    return Entry(
        name=name,
        kind="vqgan",
        model={"target": f"taming.models.vqgan.{kind}", "params": params},
        factor=2 ** (len(layers["ch_mult"]) - 1),
        **{**facts, "sources": tuple(facts["sources"])},
    )


def _read_catalog(kind: str) -> dict[str, dict[str, Any]]:
    return json.loads((ASSETS / "models" / f"{kind}.json").read_text("utf-8"))
