"""Drawers as values: what turns the optimized tensor into a picture, its settings, and what it can do.

``DRAWERS`` is the registry. A drawer is a line there and one module of ``pixgen.synthesis.drawers`` that draws;
its settings are a class here and a field of ``Recipe``. The rest of pixgen asks what a drawer can do, and never
which one it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import model_validator

from pixgen.errors import InvalidValue
from pixgen.losses import Colours
from pixgen.recipe.base import Value, setting


@dataclass(frozen=True)
class DrawerKind:
    """What a drawer is called, and what it can do.

    Args:
        title: on the page.
        made_by: what makes it, as ``module.name`` in ``pixgen.synthesis.drawers``, which loads torch and is
            imported when a recipe is painted; called with the drawer's settings and, by name, ``width``,
            ``height`` and ``device``. A drawer that needs a VQGAN has none.
        needs_vqgan: it draws through a VQGAN, which is loaded for it and takes memory.
        can_encode: it encodes a picture into a latent in one pass, as painting over a video needs.
        can_mask: it can repaint a part of a picture (inpainting, outpainting).
        can_grow: its canvas can be enlarged during the optimization.
        can_travel: a journey can move its picture from frame to frame.
        can_move_latent: its latent is a spatial grid, which a journey can shift, zoom and rotate.
        can_svg: its picture consists of shapes, which can be saved as SVG.
    """

    title: str
    made_by: str = ""
    needs_vqgan: bool = False
    can_encode: bool = False
    can_mask: bool = False
    can_grow: bool = False
    can_travel: bool = True
    can_move_latent: bool = False
    can_svg: bool = False


DRAWERS: Mapping[str, DrawerKind] = {
    "vqgan": DrawerKind(
        "the VQGAN", needs_vqgan=True, can_encode=True, can_mask=True, can_grow=True, can_move_latent=True
    ),
    "pixels": DrawerKind("cells of one colour", "pixels.PixelsDrawer", can_svg=True),
    "fourier": DrawerKind("waves", "waves.fourier_drawer"),
    "multires": DrawerKind("every resolution at once", "waves.MultiresDrawer"),
    "lines": DrawerKind("brush strokes", "strokes.LinesDrawer", can_travel=False, can_svg=True),
}
if TYPE_CHECKING:
    DrawerName = str
else:
    DrawerName = Literal[tuple(DRAWERS)]


def drawers_that(can: str) -> str:
    """The names of the drawers that have a capability, for a sentence."""
    return " or ".join(name for name, kind in DRAWERS.items() if getattr(kind, can))


class Pixels(Value):
    """Cells of one colour each, as in pixel art and mosaics."""

    shape: Annotated[
        Literal["square", "hex", "triangle", "diamond", "brick", "knit"],
        setting(
            "Shape of the cells",
            choices={
                "square": "squares",
                "hex": "hexagons",
                "triangle": "triangles",
                "diamond": "diamonds",
                "brick": "bricks",
                "knit": "knitted stitches",
            },
        ),
    ] = "square"
    size: Annotated[int, setting("Size of a cell", "In the picture's pixels.", low=1, high=256, step=1)] = 4
    colours: Annotated[
        Colours, setting("Palette", "Names or #rrggbb; none: any colours.", example="navy, white")
    ] = ()
    count: Annotated[
        int,
        setting(
            "Number of colours",
            "How many colours the picture may use; 0: no limit.",
            low=0,
            high=64,
            step=1,
        ),
    ] = 0

    @model_validator(mode="after")
    def _some_colours(self) -> "Pixels":
        if len(self.colours) == 1 or self.count == 1:
            raise InvalidValue("a palette needs at least two colours")
        if self.colours and self.count:
            raise InvalidValue("give either the colours or how many to find, not both")
        return self


_DECAY = "Higher values favour coarse shapes over fine detail."


class Fourier(Value):
    """Waves (``fft``) or wavelets (``dwt``) of every length, in colours that vary independently."""

    transform: Annotated[
        Literal["fft", "dwt"], setting("Transform", choices={"fft": "waves", "dwt": "wavelets"})
    ] = "fft"
    decay: Annotated[float, setting("Decay", _DECAY, low=0, high=3, step=0.05)] = 1.0
    wavelet: Annotated[Literal["haar", "db2", "db3", "coif1", "coif2", "bior2.2"], setting("Wavelet")] = (
        "coif2"
    )


class Multires(Value):
    """A sum of pictures of every resolution (Direct Ascent Synthesis)."""

    smallest: Annotated[
        int, setting("Smallest picture", "In pixels, on its shorter side.", low=1, high=64, step=1)
    ] = 1
    ratio: Annotated[
        float, setting("Ratio", "The scale between one resolution and the next.", gt=1, high=4, step=0.05)
    ] = 1.5
    decay: Annotated[float, setting("Decay", _DECAY, low=0, high=3, step=0.05)] = 0.5


class Lines(Value):
    """Strokes of a brush on paper."""

    count: Annotated[int, setting("Number of strokes", low=1, high=512, step=1)] = 96
    widest: Annotated[
        float,
        setting("Widest stroke", "As a fraction of the shorter side.", gt=0, high=0.5, step=0.01),
    ] = 0.08
    paper: Annotated[float, setting("Paper brightness", "0: black. 1: white.", low=0, high=1, step=0.01)] = (
        0.97
    )
