"""Which models there are, by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pixgen.errors import ModelError

ASSETS = Path(__file__).parent.parent.parent / "assets"


@dataclass(frozen=True)
class Entry:
    """A bundled model: a JSON config and safetensors beside it."""

    name: str
    kind: Literal["vqgan", "clip"]
    config: Path
    weights: Path
    about: str


_ENTRIES = (
    Entry("pocket", "vqgan", ASSETS / "pocket" / "vqgan.json", ASSETS / "pocket" / "vqgan.safetensors",
          "2,048 codes, factor 8, trained on 128 px drawings; bundled"),
    Entry("pocket", "clip", ASSETS / "pocket" / "clip.json", ASSETS / "pocket" / "clip.safetensors",
          "64 px, adversarially trained on captioned drawings; bundled"),
    Entry("pocket-judge", "clip", ASSETS / "pocket" / "judge.json",
          ASSETS / "pocket" / "judge.safetensors", "measures pictures, guides none; bundled"),
)  # fmt: skip


def available_vqgans() -> list[str]:
    """The names that ``load_vqgan`` takes."""
    return [entry.name for entry in _ENTRIES if entry.kind == "vqgan"]


def available_clips() -> list[str]:
    """The names that ``load_perceptor`` takes; the judge measures and is not offered."""
    return [
        entry.name for entry in _ENTRIES if entry.kind == "clip" and entry.name != "pocket-judge"
    ]


def find(name: str, kind: Literal["vqgan", "clip"]) -> Entry:
    """The entry of that name. Raises ModelError, which lists the names."""
    for entry in _ENTRIES:
        if entry.name == name and entry.kind == kind:
            return entry
    names = available_vqgans() if kind == "vqgan" else available_clips()
    what = "picture model" if kind == "vqgan" else "CLIP"
    raise ModelError(f"There is no {what} “{name}”: choose {', '.join(names)}.")
