"""Colour temperature loss: pulls the mean colour towards the light of a black body."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

from pixgen.losses.base import Loss, loss_weight
from pixgen.recipe.base import Value, setting

if TYPE_CHECKING:
    import torch

# Linear sRGB to CIE XYZ (IEC 61966-2-1).
_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
_FAR = 0.05  # the distance in CIE 1960 u, v at which the loss is 1, about that of candle light to noon


class Warmth(Value):
    """Pulls the mean colour towards that of light of a colour temperature."""

    weight: Annotated[float, loss_weight("Colour temperature", offered=20, hint="1 to 10")] = 0.0
    kelvin: Annotated[
        int,
        setting(
            "Temperature in kelvin",
            "A candle 1900, a bulb 2700, noon 5500, shade 8000.",
            low=1000,
            high=15000,
            offered=(1500, 12000),
            step=100,
        ),
    ] = 3500


def warmth_loss(picture: "torch.Tensor", kelvin: float) -> "torch.Tensor":
    """How far a picture's mean light is from that of a black body of a temperature, 1,000 to 15,000 K.

    The squared distance in CIE 1960 u, v; 0 where the mean colour is the light's own. Source of its place:
    Krystek, "An algorithm to calculate correlated colour temperature", 1985.
    """
    import torch

    curved = ((picture + 0.055) / 1.055).clamp(min=0.04).pow(2.4)
    light = torch.where(picture <= 0.04045, picture / 12.92, curved).mean(dim=(0, 2, 3))
    x, y, z = picture.new_tensor(_XYZ) @ light
    whole = (x + 15 * y + 3 * z).clamp(min=1e-4)
    u, v = _place(kelvin)
    return ((4 * x / whole - u).square() + (6 * y / whole - v).square()) / _FAR**2


def _place(kelvin: float) -> tuple[float, float]:
    """The chromaticity of a black body's light, as u and v of CIE 1960."""
    t = kelvin
    return (
        (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t * t)
        / (1 + 8.42420235e-4 * t + 7.08145163e-7 * t * t),
        (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t * t)
        / (1 - 2.89741816e-5 * t + 1.61456053e-7 * t * t),
    )


WarmthLoss = Annotated[Warmth, Loss(lambda own, given: partial(warmth_loss, kelvin=own.kelvin))]
