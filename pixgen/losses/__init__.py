"""The losses of a picture besides those of its prompts: each is a function with its settings, in a module
here.

What comes in is a recipe's ``losses``; what goes out is what each step computes of a picture, of its latent
or of CLIP's vectors. ``Losses`` is the registry: a line there adds a loss to recipes, to ``--set`` and to the
page. No module here loads torch before a loss is computed, for recipes are read without it.
"""

from collections.abc import Iterator
from functools import cache

from pixgen.losses.base import Colour, Colours, Compute, GivenClip, GivenPictures, Loss, rgb
from pixgen.losses.clip import Aesthetics, AntiText
from pixgen.losses.colour import Palette, PaletteLoss, Saturation
from pixgen.losses.layout import Edge, EdgeLoss, Symmetry, SymmetryLoss, Tiling
from pixgen.losses.nearness import LatentDecay, StartLatent, StartPixels
from pixgen.losses.texture import Smoothness, SmoothnessLoss, Style, StyleLoss, TotalVariation
from pixgen.losses.warmth import Warmth, WarmthLoss
from pixgen.recipe.base import Value

__all__ = [
    "Colour",
    "Colours",
    "Compute",
    "Loss",
    "Losses",
    "rgb",
]


class Losses(Value):
    """Weights of the losses besides those of the prompts, whose weights add up to 1; 0 is off.

    Losses of one kind are added up in this order, which therefore decides the last bit of a picture.
    """

    total_variation: TotalVariation = 0.0
    saturation: Saturation = 0.0
    tiling: Tiling = 0.0
    smoothness: SmoothnessLoss = Smoothness()
    symmetry: SymmetryLoss = Symmetry()
    edge: EdgeLoss = Edge()
    palette: PaletteLoss = Palette()
    warmth: WarmthLoss = Warmth()
    style: StyleLoss = Style()
    start_pixels: StartPixels = 0.0
    start_latent: StartLatent = 0.0
    latent_decay: LatentDecay = 0.0
    anti_text: AntiText = 0.0
    aesthetics: Aesthetics = 0.0

    def weight(self, name: str) -> float:
        """The weight of a loss."""
        value = getattr(self, name)
        return getattr(value, "weight", value)

    def prepare(self, of: str, given: GivenClip | GivenPictures) -> Iterator[tuple[str, float, Compute]]:
        """Name, weight and function of each enabled loss of a kind (see ``Loss``); losses that are off cost
        nothing."""
        for name, loss in _losses().items():
            if loss.of == of and self.weight(name):
                yield name, self.weight(name), loss.prepare(getattr(self, name), given)

    @property
    def pictures(self) -> set[str]:
        """The paths of all pictures that the losses use."""
        return {self.palette.picture, self.style.picture} - {""}


@cache
def _losses() -> dict[str, Loss]:
    """Every loss by its field in ``Losses``, in their order."""
    return {
        name: next(each for each in field.metadata if isinstance(each, Loss))
        for name, field in Losses.model_fields.items()
    }
