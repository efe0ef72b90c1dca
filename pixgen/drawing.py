"""Drawers as values: what draws instead of a VQGAN, and how."""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from pixgen.losses import Colours
from pixgen.values import Value

DrawerName = Literal["vqgan", "pixels", "fourier", "multires", "lines"]
DRAWERS: tuple[DrawerName, ...] = get_args(DrawerName)


class Pixels(Value):
    """Cells of one colour each, as in pixel art and mosaics."""

    shape: Literal["square", "hex", "triangle", "diamond"] = "square"
    size: Annotated[int, Field(ge=1, le=256)] = 4  # of a cell, in the picture's pixels
    # A limited palette: these colours, or as many as ``count`` says, which are found while painting;
    # 0 is any number.
    colours: Colours = ()
    count: Annotated[int, Field(ge=0, le=64)] = 0

    @model_validator(mode="after")
    def _some_colours(self) -> "Pixels":
        if len(self.colours) == 1 or self.count == 1:
            raise ValueError("a palette of one colour paints nothing: give two at least")
        if self.colours and self.count:
            raise ValueError("give either the colours or how many to find, not both")
        return self


class Fourier(Value):
    """Waves (``fft``) or wavelets (``dwt``) of every length, in colours that vary independently."""

    transform: Literal["fft", "dwt"] = "fft"
    decay: Annotated[float, Field(ge=0, le=3)] = 1.0  # more: the coarse before the fine
    wavelet: Literal["haar", "db2", "db3", "coif1", "coif2", "bior2.2"] = "coif2"


class Multires(Value):
    """A sum of pictures of every resolution (Direct Ascent Synthesis)."""

    smallest: Annotated[int, Field(ge=1, le=64)] = 1  # the coarsest one's shorter side
    ratio: Annotated[float, Field(gt=1, le=4)] = 1.5  # from one resolution to the next
    decay: Annotated[float, Field(ge=0, le=3)] = 0.5  # more: the coarse before the fine


class Lines(Value):
    """Strokes of a brush on paper."""

    count: Annotated[int, Field(ge=1, le=512)] = 96
    widest: Annotated[float, Field(gt=0, le=0.5)] = 0.08  # a part of the shorter side
    paper: Annotated[float, Field(ge=0, le=1)] = 0.97  # its grey
