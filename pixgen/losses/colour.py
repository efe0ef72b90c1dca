"""Losses on colours: a palette, and saturation."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

from einops import rearrange
from pydantic import model_validator

from pixgen.errors import InvalidValue
from pixgen.losses.base import Colours, GivenPictures, Loss, PicturePath, loss_weight, rgb
from pixgen.recipe.base import Value, setting

if TYPE_CHECKING:
    import torch

# Hasler and Süsstrunk's word for a colourfulness of 109 (of 255) is "extremely colourful".
_COLOURFUL = 109 / 255
_COLOURS_OF_A_PICTURE = 16


class Palette(Value):
    """Only these colours, or those of a picture."""

    weight: Annotated[float, loss_weight("Only these colours", offered=20, hint="1 to 10")] = 0.0
    colours: Annotated[
        Colours,
        setting(
            "Colours to use",
            "Names or #rrggbb. Empty: the colours of the picture below.",
            example="navy, white, #ff8800",
        ),
    ] = ()
    picture: PicturePath = ""

    @model_validator(mode="after")
    def _complete(self) -> "Palette":
        if self.weight and not (self.colours or self.picture):
            raise InvalidValue("a palette needs colours, such as “navy, white, #ff8800”, or a picture")
        return self


def palette_loss(picture: "torch.Tensor", colours: "torch.Tensor") -> "torch.Tensor":
    """The mean distance of pixels to their nearest colour of ``(N, 3)``. Source of the idea: pixray."""
    import torch

    pixels = rearrange(picture, "1 c h w -> (h w) c")
    nearest = colours[torch.cdist(pixels.detach(), colours).argmin(1)]
    # The floor keeps the root's slope finite; without it again, a pixel of a colour costs nothing.
    return ((pixels - nearest).square().sum(1) + 1e-6).sqrt().mean() - 1e-3


def _colours(palette: Palette, given: GivenPictures) -> "torch.Tensor":
    """The colours of a palette, ``(N, 3)``."""
    import torch

    found = [torch.tensor([rgb(colour) for colour in palette.colours])] if palette.colours else []
    if palette.picture:
        found.append(given.main_colours(palette.picture, count=_COLOURS_OF_A_PICTURE))
    return torch.cat(found).to(given.device)


def saturation_loss(picture: "torch.Tensor") -> "torch.Tensor":
    """How far a picture is from extremely colourful: 1 for grey.

    Source: Hasler and Süsstrunk, "Measuring colourfulness in natural images", 2003.
    """
    import torch

    red, green, blue = picture[0]
    pairs = torch.stack([red - green, (red + green) / 2 - blue])
    spread = (pairs.var(dim=(1, 2), correction=0).sum() + 1e-8).sqrt()
    mean = (pairs.mean(dim=(1, 2)).square().sum() + 1e-8).sqrt()
    return (1 - (spread + 0.3 * mean) / _COLOURFUL).relu()


PaletteLoss = Annotated[Palette, Loss(lambda own, given: partial(palette_loss, colours=_colours(own, given)))]
Saturation = Annotated[
    float, loss_weight("Strong colours", hint="0.1 to 2"), Loss(lambda own, given: saturation_loss)
]
