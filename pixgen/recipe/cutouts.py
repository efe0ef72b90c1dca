"""Cutouts as values: which parts of the picture CLIP sees, and how they are augmented.

A recipe names one of the published sets below, or lists its own crops and augmentations: classes of
``kornia.augmentation`` by their names, or the kinds of pixgen 0.1, each of which stands for such a class.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pixgen.errors import InvalidValue
from pixgen.recipe.base import VERSION, Kind, Value, setting
from pixgen.recipe.kornia_classes import Kornia, unchecked_kornia

Chance = Annotated[float, Field(ge=0, le=1)]
Padding = Literal["border", "reflection", "zeros", "grey"]


class Crop(Value):
    """The distribution of the positions and sizes of cutouts; sizes are fractions of the picture's shorter
    side."""

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


class Flip(Kind):
    """Mirrors left and right."""

    kind: Literal["flip"] = "flip"
    p: Chance = 0.5


class Affine(Kind):
    """Rotates (degrees), moves (fractions of the cutout), shears (degrees) and scales."""

    kind: Literal["affine"] = "affine"
    degrees: Annotated[float, Field(ge=0, le=180)] = 30.0
    translate: Annotated[float, Field(ge=0, le=1)] = 0.1
    shear: Annotated[float, Field(ge=0, le=60)] = 0.0
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0  # 0.1: between 0.9 and 1.1 times
    p: Chance = 0.8


class Perspective(Kind):
    """Moves the four corners inwards by up to ``distortion`` of half the side."""

    kind: Literal["perspective"] = "perspective"
    distortion: Annotated[float, Field(ge=0, lt=1)] = 0.2
    p: Chance = 0.4


class ColourJitter(Kind):
    """Changes brightness, contrast, saturation (factors 1 ± value) and hue (turns ± value)."""

    kind: Literal["colour"] = "colour"
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.0
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.0
    saturation: Annotated[float, Field(ge=0, le=1)] = 0.1
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    p: Chance = 0.7


class Sharpness(Kind):
    """Sharpens by up to ``amount``."""

    kind: Literal["sharpness"] = "sharpness"
    amount: Annotated[float, Field(ge=0, le=5)] = 0.3
    p: Chance = 0.4


class Erasing(Kind):
    """Blanks a rectangle of ``smallest`` to ``largest`` of the cutout's area."""

    kind: Literal["erasing"] = "erasing"
    smallest: Annotated[float, Field(gt=0, lt=1)] = 0.1
    largest: Annotated[float, Field(gt=0, lt=1)] = 0.4
    together: bool = False  # the same rectangle in every cut
    p: Chance = 0.7


class Noise(Kind):
    """Adds Gaussian noise with a strength from 0 to ``amount``, drawn for each cutout."""

    kind: Literal["noise"] = "noise"
    amount: Annotated[float, Field(ge=0, le=1)] = 0.1
    p: Chance = 1.0


def _restore_kind(value: Any) -> Any:
    """An augmentation with the kind that version 0.1.0 left out of its JSON: the first that has its settings."""
    if not isinstance(value, Mapping) or "kind" in value:
        return value
    for kind in (Noise, Flip, Affine, Perspective, ColourJitter, Sharpness, Erasing):
        if set(value) <= set(kind.model_fields):
            return {"kind": kind.model_fields["kind"].default, **value}
    return value


Augmentation = Annotated[
    Flip | Affine | Perspective | ColourJitter | Sharpness | Erasing | Noise | Kornia,
    Field(discriminator="kind"),
    BeforeValidator(_restore_kind),
]


def as_kornia(augmentation: Augmentation) -> Kornia | Noise:
    """The class of kornia, with its parameters, that does what a kind of augmentation does. Noise with a
    random strength for each cutout is returned unchanged, because kornia has no such class."""
    if isinstance(augmentation, Flip):
        return unchecked_kornia("RandomHorizontalFlip", p=augmentation.p)
    if isinstance(augmentation, Affine):
        scale, shear = augmentation.scale, augmentation.shear
        return unchecked_kornia(
            "RandomAffine",
            degrees=augmentation.degrees,
            translate=(augmentation.translate,) * 2,
            scale=(1 - scale, 1 + scale) if scale else None,
            shear=(-shear, shear) if shear else None,
            padding_mode="border",
            p=augmentation.p,
        )
    if isinstance(augmentation, Perspective):
        return unchecked_kornia(
            "RandomPerspective", distortion_scale=augmentation.distortion, p=augmentation.p
        )
    if isinstance(augmentation, ColourJitter):
        return unchecked_kornia(
            "ColorJitter",
            brightness=augmentation.brightness,
            contrast=augmentation.contrast,
            saturation=augmentation.saturation,
            hue=augmentation.hue,
            p=augmentation.p,
        )
    if isinstance(augmentation, Sharpness):
        return unchecked_kornia("RandomSharpness", sharpness=augmentation.amount, p=augmentation.p)
    if isinstance(augmentation, Erasing):
        return unchecked_kornia(
            "RandomErasing",
            scale=(augmentation.smallest, augmentation.largest),
            ratio=(1 / 3, 3.0),
            same_on_batch=augmentation.together,
            p=augmentation.p,
        )
    return augmentation


class CutoutSet(Value):
    """Crops and their augmentations.

    By the ``fused`` engine, in this order of effect: geometry, colour, the rest; a class of kornia keeps
    its place in the list, except that geometry which nothing stands in the way of is done at first. By
    the ``kornia`` engine, in the order of the list.
    """

    crops: Annotated[tuple[Crop, ...], Field(min_length=1)]
    augmentations: Annotated[tuple[Augmentation, ...], Field(max_length=32)] = ()


def _pipeline(*crops: Crop, augmentations: tuple[Augmentation, ...] = ()) -> CutoutSet:
    return CutoutSet.model_construct(crops=crops, augmentations=augmentations)


# Sources: Crowson's notebook (arXiv 2204.08583), its "updated", pooled and "latest" descendants in
# github.com/nerdyrodent/VQGAN-CLIP, and github.com/pixray/pixray: their pipelines of kornia, with their parameters.
# "gentle" is pixgen's own: a small canvas needs whole things in view. None is validated here, which would load
# torch; the tests do.
CUTOUT_SETS: dict[str, CutoutSet] = {
    "gentle": _pipeline(
        Crop(smallest=0.7, largest=1.05, overscan=0.05),
        augmentations=(
            unchecked_kornia("RandomHorizontalFlip", p=0.5),
            unchecked_kornia(
                "RandomAffine",
                degrees=10.0,
                translate=(0.05, 0.05),
                shear=(-3.0, 3.0),
                padding_mode="border",
                p=0.7,
            ),
            unchecked_kornia("RandomPerspective", distortion_scale=0.2, p=0.5),
            unchecked_kornia("ColorJitter", brightness=0.05, contrast=0.05, saturation=0.1, hue=0.02, p=0.7),
            Noise(amount=0.08),
        ),
    ),
    "crowson": _pipeline(Crop(smallest=0.5, largest=1.0, power=1.0)),
    "updated": _pipeline(
        Crop(smallest=0.5, largest=1.0, power=1.0),
        augmentations=(
            unchecked_kornia("RandomHorizontalFlip", p=0.5),
            unchecked_kornia("ColorJitter", hue=0.01, saturation=0.01, p=0.7),
            unchecked_kornia("RandomSharpness", sharpness=0.3, p=0.4),
            unchecked_kornia(
                "RandomAffine", degrees=30.0, translate=(0.1, 0.1), padding_mode="border", p=0.8
            ),
            unchecked_kornia("RandomPerspective", distortion_scale=0.2, p=0.4),
            Noise(amount=0.1),
        ),
    ),
    "pooled": _pipeline(
        Crop(law="whole", padding="border"),
        augmentations=(
            unchecked_kornia(
                "RandomAffine",
                degrees=15.0,
                translate=(0.1, 0.1),
                shear=(-5.0, 5.0),
                padding_mode="border",
                p=0.7,
            ),
            unchecked_kornia("RandomPerspective", distortion_scale=0.7, p=0.7),
            unchecked_kornia("ColorJitter", hue=0.1, saturation=0.1, p=0.7),
            unchecked_kornia(
                "RandomErasing", scale=(0.1, 0.4), ratio=(0.3, 1 / 0.3), same_on_batch=True, p=0.7
            ),
            Noise(amount=0.1),
        ),
    ),
    "latest": _pipeline(
        Crop(law="whole", padding="zeros"),
        augmentations=(
            unchecked_kornia("RandomAffine", degrees=15, translate=(0.1, 0.1), shear=5, p=0.7),
            unchecked_kornia("RandomPerspective", distortion_scale=0.7, p=0.7),
            unchecked_kornia("ColorJitter", brightness=0.1, contrast=0.1, saturation=0.1, hue=0.1, p=0.7),
            unchecked_kornia(
                "RandomErasing", scale=(0.1, 0.4), ratio=(0.3, 1 / 0.3), same_on_batch=True, p=0.7
            ),
            Noise(amount=0.1),
        ),
    ),
    "wide-zoom": _pipeline(
        Crop(share=0.6, smallest=0.5, largest=0.97, stretch=1.2, padding="reflection"),
        Crop(share=0.4, law="whole", padding="grey", overscan=0.05),
        augmentations=(
            unchecked_kornia("RandomPerspective", distortion_scale=0.3, p=0.7),
            unchecked_kornia("ColorJitter", hue=0.1, saturation=0.1, p=0.8),
            Noise(amount=0.1),
        ),
    ),
}

# What the names meant in recipes of version 1.
EARLIER_SETS: dict[str, CutoutSet] = {
    **CUTOUT_SETS,
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
    """How many cutouts CLIP sees in each step, in how many batches, and of which set."""

    count: Annotated[
        int,
        setting(
            "Cutouts",
            "How many crops of the picture CLIP scores in each step. Fewer need less memory.",
            low=1,
            high=512,
            offered=(1, 64),
            step=1,
        ),
    ] = 12
    batches: Annotated[
        int,
        setting(
            "Batches",
            "More batches need less memory. Augmentations that kornia applies are sampled for each batch.",
            low=1,
            high=64,
            step=1,
        ),
    ] = 1
    # A name in CUTOUT_SETS, or "own" with ``own`` given.
    kind: Annotated[str, setting("Cutout set", "How the crops are taken and augmented.")] = "gentle"
    own: CutoutSet | None = None

    @model_validator(mode="after")
    def _known(self) -> "Cutouts":
        if self.own is None and self.kind not in CUTOUT_SETS:
            raise InvalidValue("kind must be one of {choices}", choices=", ".join(CUTOUT_SETS))
        return self

    def set_of(self, version: int) -> CutoutSet:
        """The crops and augmentations in a recipe of a version."""
        return self.own or (EARLIER_SETS if version == 1 else CUTOUT_SETS)[self.kind]

    def with_augmentations(self, more: Sequence[Augmentation], *, version: int = VERSION) -> "Cutouts":
        """The same cutouts with more augmentations, after the existing ones in a recipe of a version."""
        before = self.set_of(version)
        own = {**before.model_dump(), "augmentations": (*before.augmentations, *more)}
        return self.model_copy(update={"own": CutoutSet.model_validate(own)})
