"""Cutouts as values: which parts of the picture CLIP looks at, and how they are disturbed.

A recipe names one of the published sets below, or lists its own crops and augmentations.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pixgen.errors import InvalidValue
from pixgen.values import Value

Chance = Annotated[float, Field(ge=0, le=1)]
Padding = Literal["border", "reflection", "zeros", "grey"]


class Crop(Value):
    """A law for the places and sizes of cutouts; sizes are parts of the picture's shorter side."""

    share: Annotated[float, Field(gt=0)] = 1.0  # this law's part of all cutouts
    law: Literal["power", "normal", "whole"] = "power"
    smallest: Annotated[float, Field(gt=0, le=2)] = 0.5
    largest: Annotated[float, Field(gt=0, le=2)] = 1.0
    power: Annotated[float, Field(gt=0, le=10)] = 1.0  # the family's cut_pow: above 1, smaller cuts
    stretch: Annotated[float, Field(ge=1, le=3)] = 1.0  # aspect up to this, either way
    overscan: Annotated[float, Field(ge=0, le=1)] = 0.0  # how far a cut may leave the picture
    padding: Padding = "border"

    @model_validator(mode="after")
    def _ordered(self) -> "Crop":
        if self.smallest > self.largest:
            raise InvalidValue("smallest must not exceed largest")
        return self


class Flip(Value):
    """Mirrors left and right."""

    kind: Literal["flip"] = "flip"
    p: Chance = 0.5


class Affine(Value):
    """Turns (degrees), moves (parts of the cut), shears (degrees) and scales."""

    kind: Literal["affine"] = "affine"
    degrees: Annotated[float, Field(ge=0, le=180)] = 30.0
    translate: Annotated[float, Field(ge=0, le=1)] = 0.1
    shear: Annotated[float, Field(ge=0, le=60)] = 0.0
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0  # 0.1: between 0.9 and 1.1 times
    p: Chance = 0.8


class Perspective(Value):
    """Moves the four corners inwards by up to ``distortion`` of half the side."""

    kind: Literal["perspective"] = "perspective"
    distortion: Annotated[float, Field(ge=0, lt=1)] = 0.2
    p: Chance = 0.4


class ColourJitter(Value):
    """Changes brightness, contrast, saturation (factors 1 ± value) and hue (turns ± value)."""

    kind: Literal["colour"] = "colour"
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.1
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    p: Chance = 0.7


class Sharpness(Value):
    """Sharpens by up to ``amount``."""

    kind: Literal["sharpness"] = "sharpness"
    amount: Annotated[float, Field(ge=0, le=5)] = 0.3
    p: Chance = 0.4


class Erasing(Value):
    """Blanks a rectangle of ``smallest`` to ``largest`` of the cut's area."""

    kind: Literal["erasing"] = "erasing"
    smallest: Annotated[float, Field(gt=0, lt=1)] = 0.1
    largest: Annotated[float, Field(gt=0, lt=1)] = 0.4
    together: bool = False  # the same rectangle in every cut
    p: Chance = 0.7


class Noise(Value):
    """Adds Gaussian noise, its strength drawn per cut from 0 to ``amount``."""

    kind: Literal["noise"] = "noise"
    amount: Annotated[float, Field(ge=0, le=1)] = 0.1
    p: Chance = 1.0


Augmentation = Annotated[
    Flip | Affine | Perspective | ColourJitter | Sharpness | Erasing | Noise,
    Field(discriminator="kind"),
]


class CutoutSet(Value):
    """Crops and what happens to them, in this order of effect: geometry, colour, the rest."""

    crops: Annotated[tuple[Crop, ...], Field(min_length=1)]
    augmentations: tuple[Augmentation, ...] = ()


# Sources: Crowson's notebook (arXiv 2204.08583), its "updated" and pooled descendants in
# github.com/nerdyrodent/VQGAN-CLIP, and github.com/pixray/pixray. "gentle" is pixgen's own: a small
# canvas needs whole things in view.
CUTOUT_SETS: dict[str, CutoutSet] = {
    "gentle": CutoutSet(
        crops=(Crop(smallest=0.7, largest=1.05, overscan=0.05),),
        augmentations=(
            Flip(),
            Affine(degrees=10, translate=0.05, shear=3, p=0.7),
            Perspective(distortion=0.2, p=0.5),
            ColourJitter(brightness=0.05, contrast=0.05, saturation=0.1, hue=0.02),
            Noise(amount=0.08),
        ),
    ),
    "crowson": CutoutSet(crops=(Crop(smallest=0.5, largest=1.0, power=1.0),)),
    "updated": CutoutSet(
        crops=(Crop(smallest=0.5, largest=1.0, power=1.0),),
        augmentations=(
            Flip(p=0.5),
            ColourJitter(hue=0.01, saturation=0.01, p=0.7),
            Sharpness(amount=0.3, p=0.4),
            Affine(degrees=30, translate=0.1, p=0.8),
            Perspective(distortion=0.2, p=0.4),
            Noise(amount=0.1),
        ),
    ),
    "pooled": CutoutSet(
        crops=(Crop(law="whole", padding="border"),),
        augmentations=(
            Affine(degrees=15, translate=0.1, shear=5, p=0.7),
            Perspective(distortion=0.7, p=0.7),
            ColourJitter(hue=0.1, saturation=0.1, p=0.7),
            Erasing(smallest=0.1, largest=0.4, together=True, p=0.7),
            Noise(amount=0.1),
        ),
    ),
    "wide-zoom": CutoutSet(
        crops=(
            Crop(share=0.6, smallest=0.5, largest=0.97, stretch=1.2, padding="reflection"),
            Crop(share=0.4, law="whole", padding="grey", overscan=0.05),
        ),
        augmentations=(
            Perspective(distortion=0.3, p=0.7),
            ColourJitter(hue=0.1, saturation=0.1, p=0.8),
            Noise(amount=0.1),
        ),
    ),
}


class Cutouts(Value):
    """How many cutouts CLIP sees a step, in how many batches, and of which set."""

    count: Annotated[int, Field(ge=1, le=512)] = 12
    batches: Annotated[int, Field(ge=1, le=64)] = 1  # more: less memory, same gradient
    kind: str = "gentle"  # a name in CUTOUT_SETS, or "own" with ``own`` given
    own: CutoutSet | None = None

    @model_validator(mode="after")
    def _known(self) -> "Cutouts":
        if self.own is None and self.kind not in CUTOUT_SETS:
            raise InvalidValue("kind must be one of {choices}", choices=", ".join(CUTOUT_SETS))
        return self

    @property
    def set(self) -> CutoutSet:
        """The crops and augmentations themselves."""
        return self.own or CUTOUT_SETS[self.kind]
