"""The parts of a loss: its weight, its other settings, and the function that computes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from PIL import ImageColor
from pydantic import AfterValidator, BeforeValidator, Field

from pixgen.errors import InvalidValue
from pixgen.recipe.base import setting

if TYPE_CHECKING:
    import torch

MOST_WEIGHT = 1000.0

Compute = Callable[..., "torch.Tensor"]
PicturePath = Annotated[str, Field(max_length=4096)]


class GivenPictures(Protocol):
    """The inputs that a loss of pictures or latents can use while it is prepared."""

    device: "torch.device"

    def picture(self, path: str) -> "torch.Tensor":
        """An opened picture that the recipe names, ``(1, 3, H, W)`` in [0, 1]."""

    def main_colours(self, path: str, *, count: int) -> "torch.Tensor":
        """The main colours ``(count, 3)`` of a picture."""


class GivenClip(Protocol):
    """The inputs that a loss of CLIP's vectors can use while it is prepared."""

    def embed_texts(self, texts: Sequence[str]) -> "torch.Tensor":
        """CLIP's unit vectors of texts, ``(N, D)``."""

    def aesthetic_scores(self) -> Callable[["torch.Tensor"], "torch.Tensor"]:
        """A function that scores CLIP vectors, ``(N, D)`` to ``(N,)``. Raises ModelError if its file is
        missing."""


@dataclass(frozen=True)
class Loss:
    """Computes a loss; part of the annotation of the loss's field in ``Losses``.

    Args:
        prepare: makes what is called each step, once a run, of the field's value and a ``GivenPictures``, or
            a ``GivenClip`` for a loss of vectors.
        of: what that is called with: the picture ``(1, 3, H, W)`` in [0, 1]; the picture and the start's;
            the latent and the start's; or CLIP's vectors of the cutouts, ``(N, D)``. It returns a scalar.
    """

    prepare: Callable[[Any, Any], Compute]
    of: Literal["picture", "picture and start", "latent and start", "vectors"] = "picture"


def loss_weight(title: str, description: str = "", *, offered: float = 5, hint: str = "", **more: Any) -> Any:
    """Declare a weight: 0 is off. The page offers ``offered`` at most; ``hint`` names typical values."""
    return setting(
        title,
        description,
        low=0,
        high=MOST_WEIGHT,
        allow_inf_nan=False,
        offered=(0, offered),
        step=0.05,
        hint=hint,
        **more,
    )


def rgb(colour: str) -> tuple[float, float, float]:
    """A colour by its CSS name or as ``#rrggbb``, each part in [0, 1]. Raises ValueError."""
    try:
        red, green, blue = ImageColor.getrgb(colour)[:3]
    except ValueError:
        raise InvalidValue(
            "“{colour}” is not a colour: write a name such as orange, or #ff8800", colour=colour[:40]
        ) from None
    return red / 255, green / 255, blue / 255


def _named(value: str) -> str:
    rgb(value)
    return value


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(each.strip() for each in value.split(",") if each.strip())
    return value


Colour = Annotated[str, Field(max_length=40), AfterValidator(_named)]
Colours = Annotated[tuple[Colour, ...], BeforeValidator(_listed), Field(max_length=64)]
