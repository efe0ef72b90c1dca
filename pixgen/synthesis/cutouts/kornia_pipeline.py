"""kornia's augmentations of cutouts, sampled and applied with random numbers of the run's own generator.

kornia draws from torch's process-wide generators. Here it gets generators that the run's own one seeds:
runs at the same time do not disturb each other, and a run can be repeated.
"""

from functools import lru_cache
from typing import Any, cast

import torch
import torch.nn as nn
import torch.nn.functional as F
from kornia.augmentation import (
    AugmentationSequential,
    GeometricAugmentationBase2D,
    IntensityAugmentationBase2D,
)

from pixgen.random_numbers import seeded_random_numbers
from pixgen.recipe.cutouts import Noise
from pixgen.recipe.kornia_classes import Kornia

# Classes that are one matrix a cutout, so that they can be part of the one warp.
FUSED_CLASSES = (
    "RandomAffine",
    "RandomHorizontalFlip",
    "RandomPerspective",
    "RandomRotation",
    "RandomRotation90",
    "RandomShear",
    "RandomTranslate",
    "RandomVerticalFlip",
)

_Sampled = GeometricAugmentationBase2D | IntensityAugmentationBase2D


def is_fused(augmentation: Kornia) -> bool:
    """Whether a class of kornia, with its arguments, is a matrix that can be part of the cutouts' homography."""
    nearest = dict(augmentation.args).get("resample") in ("nearest", "NEAREST", 0)
    return augmentation.name in FUSED_CLASSES and not nearest


def sample_parameters(
    augmentation: Kornia | Noise, count: int, *, size: int, seed: int, steps: int = 1
) -> dict[str, torch.Tensor]:
    """The parameters of an augmentation for ``count`` cutouts of side ``size`` in each of some steps, as kornia
    samples them, on the CPU: N = steps * count numbers of each."""
    module = cast(_Sampled, _module(augmentation))
    with seeded_random_numbers(seed):
        if not module.same_on_batch and module.p_batch == 1:
            return module.forward_parameters(torch.Size((steps * count, 3, size, size)))
        # The cutouts of a step have something in common, the steps have not.
        parts = [module.forward_parameters(torch.Size((count, 3, size, size))) for _ in range(steps)]
        return {
            name: torch.cat([part[name] for part in parts]) if len(value) == count else value
            for name, value in parts[0].items()
        }


def fused_matrices(augmentation: Kornia, params: dict[str, torch.Tensor], *, size: int) -> torch.Tensor:
    """The matrices of a fused class for parameters that kornia has sampled.

    Args:
        params: as ``forward_parameters`` gives them for N cutouts of side ``size``.

    Returns:
        ``(N, 3, 3)``, which take coordinates in [-1, 1] of the changed cutout to those of the unchanged
        one; -1 and 1 are the outer edges of its pixels.
    """
    module, count = _geometric_module(augmentation), len(params["batch_prob"])
    shape_alone = torch.zeros(()).expand(count, 3, size, size)
    forward = module.generate_transformation_matrix(shape_alone, params, module.flags)
    # kornia's matrices take pixels' numbers of the unchanged cutout to those of the changed one.
    half = (size - 1) / 2
    pixels = torch.tensor(((size / 2, 0, half), (0, size / 2, half), (0, 0, 1)))
    found = torch.linalg.inv(pixels) @ torch.linalg.inv(forward.float()) @ pixels
    return found / found[:, 2:, 2:]


def apply_kornia(cutouts: torch.Tensor, members: tuple[Kornia | Noise, ...], *, seed: int) -> torch.Tensor:
    """Apply kornia's ``AugmentationSequential`` of the members to cutouts ``(N, 3, S, S)``; results of
    another size are resized to S."""
    side = cutouts.shape[-1]
    pipeline = _pipeline(members)
    with seeded_random_numbers(seed):
        seen = pipeline(cutouts)
    if seen.shape[-2:] != (side, side):
        seen = F.interpolate(seen, size=(side, side), mode="bilinear", antialias=True)
    return seen


class RandomStrengthNoise(IntensityAugmentationBase2D):
    """Gaussian noise whose strength is sampled for each cutout between 0 and ``amount``, as in the published
    notebooks; kornia's own has one strength for all."""

    def __init__(self, amount: float, p: float) -> None:
        super().__init__(p=p)
        self.amount = amount

    def generate_parameters(self, batch_shape: tuple[int, ...]) -> dict[str, torch.Tensor]:
        """Strengths ``(N, 1, 1, 1)``."""
        return {"strength": self.amount * torch.rand(batch_shape[0], 1, 1, 1)}

    def apply_transform(
        self,
        input: torch.Tensor,
        params: dict[str, torch.Tensor],
        flags: dict[str, Any],
        transform: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Add the noise; the arguments are kornia's."""
        strength = params["strength"].to(input.device, input.dtype, non_blocking=True)
        return input + strength * torch.randn_like(input)


@lru_cache(maxsize=256)
def _module(augmentation: Kornia | Noise) -> nn.Module:
    """The module of an augmentation. Modules keep what they did last: only used inside ``seeded_random_numbers``,
    or with parameters given."""
    if isinstance(augmentation, Noise):
        return RandomStrengthNoise(augmentation.amount, augmentation.p)
    return augmentation.build()


def _geometric_module(augmentation: Kornia) -> GeometricAugmentationBase2D:
    """The module of an augmentation whose class is one of ``FUSED_CLASSES``."""
    return cast(GeometricAugmentationBase2D, _module(augmentation))


@lru_cache(maxsize=256)
def _pipeline(members: tuple[Kornia | Noise, ...]) -> AugmentationSequential:
    modules = [each.build() if isinstance(each, Kornia) else _module(each) for each in members]
    return AugmentationSequential(*cast(list[IntensityAugmentationBase2D], modules), data_keys=["input"])
