"""Which models there are, by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pixgen.errors import ModelError

ASSETS = Path(__file__).parent.parent.parent / "assets"


Kind = Literal["vqgan", "clip", "sketcher"]


@dataclass(frozen=True)
class Entry:
    """A bundled model: a JSON config and safetensors beside it."""

    name: str
    kind: Kind
    config: Path
    weights: Path
    about: str


_ENTRIES = (
    Entry("pocket", "vqgan", ASSETS / "pocket" / "vqgan.json", ASSETS / "pocket" / "vqgan.safetensors",
          "4,096 codes, factor 8, trained on 128 px drawings; bundled"),
    Entry("pocket", "clip", ASSETS / "pocket" / "clip.json", ASSETS / "pocket" / "clip.safetensors",
          "64 px, adversarially trained on captioned drawings; bundled"),
    Entry("pocket-judge", "clip", ASSETS / "pocket" / "judge.json",
          ASSETS / "pocket" / "judge.safetensors", "measures pictures, guides none; bundled"),
    Entry("pocket", "sketcher", ASSETS / "pocket" / "sketcher.json",
          ASSETS / "pocket" / "sketcher.safetensors", "writes the pocket VQGAN's codes; bundled"),
)  # fmt: skip


def available_vqgans() -> list[str]:
    """The names that ``load_vqgan`` takes."""
    return [entry.name for entry in _ENTRIES if entry.kind == "vqgan"]


def available_clips() -> list[str]:
    """The names that ``load_perceptor`` takes; the judge measures and is not offered."""
    return [
        entry.name for entry in _ENTRIES if entry.kind == "clip" and entry.name != "pocket-judge"
    ]


def available_sketchers() -> list[str]:
    """The names that ``load_sketcher`` takes."""
    return [entry.name for entry in _ENTRIES if entry.kind == "sketcher"]


def find(name: str, kind: Kind) -> Entry:
    """The entry of that name. Raises ModelError, which lists the names."""
    for entry in _ENTRIES:
        if entry.name == name and entry.kind == kind:
            return entry
    what, names = {
        "vqgan": ("picture model", available_vqgans()),
        "clip": ("CLIP", available_clips()),
        "sketcher": ("sketcher", available_sketchers()),
    }[kind]
    raise ModelError(f"There is no {what} “{name}”: choose {', '.join(names)}.")
