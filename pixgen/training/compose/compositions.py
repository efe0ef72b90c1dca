"""Compositions as values: which drawings lie where, over which background, and the caption."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """One drawing in a picture: centre in [0, 1], size as a part of the side, degrees."""

    sprite: int
    x: float
    y: float
    scale: float
    angle: float = 0.0
    flip: bool = False
    tint: str | None = None


@dataclass(frozen=True)
class Background:
    """What lies behind: a plain colour, a fade or pattern of two, or a painted setting."""

    kind: str  # plain, fade, striped, dotted, checkered, setting
    colours: tuple[str, ...] = ()
    setting: str = ""
    variant: int = 0
    flip: bool = False


@dataclass(frozen=True)
class Composition:
    """A picture to be drawn and the caption that tells it; equal meanings say the same thing."""

    background: Background
    layers: tuple[Layer, ...]
    filter: str = ""
    caption: str = ""
    meaning: tuple = ()
