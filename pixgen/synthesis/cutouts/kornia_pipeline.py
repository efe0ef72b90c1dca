"""kornia's augmentations on cutouts: sampled and applied with a random state that is the run's own.

kornia draws from torch's process-wide generators. Here they are borrowed for a moment, seeded from the
run's generator, and given back: two runs at once don't disturb each other, and a run can be repeated.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn as nn
import torch.nn.functional as F
from kornia.augmentation import AugmentationSequential, IntensityAugmentationBase2D

from pixgen.recipe.cutouts import Affine, Augmentation, ColourJitter, Flip, Noise, Perspective
from pixgen.recipe.kornia_classes import Kornia, fork_random_state

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
_OWN_GEOMETRY = (Flip, Affine, Perspective)


def is_fused(augmentation: Augmentation) -> bool:
    """Whether an augmentation can be part of the one warp."""
    if isinstance(augmentation, Kornia):
        nearest = dict(augmentation.args).get("resample") in ("nearest", "NEAREST", 0)
        return augmentation.name in FUSED_CLASSES and not nearest
    return isinstance(augmentation, _OWN_GEOMETRY)


def split_augmentations(
    augmentations: Sequence[Augmentation],
) -> tuple[list[Augmentation], list[Augmentation]]:
    """The augmentations that the one warp does, and those that follow it, each in their order.

    A class of kornia is fused where all before it is geometry: what it would otherwise have to pass
    might not give the same picture after it as before.
    """
    warped: list[Augmentation] = []
    rest: list[Augmentation] = []
    for each in augmentations:
        free = all(isinstance(other, ColourJitter) for other in rest)
        fused = is_fused(each) and (free or not isinstance(each, Kornia))
        (warped if fused else rest).append(each)
    return warped, rest


def sample_matrices(
    augmentation: Kornia, count: int, *, size: int, generator: torch.Generator
) -> torch.Tensor:
    """Matrices of a fused class for ``count`` cutouts, as of ``fused_matrices``, drawn by kornia's own law."""
    module = _module(augmentation)
    with fork_random_state(draw_seed(generator), torch.device("cpu")):
        params = module.forward_parameters(torch.Size((count, 3, size, size)))
    return fused_matrices(augmentation, params, size=size).to(generator.device)


def fused_matrices(augmentation: Kornia, params: dict[str, torch.Tensor], *, size: int) -> torch.Tensor:
    """What a fused class does to cutouts with parameters that kornia has drawn.

    Args:
        params: as ``forward_parameters`` gives them for N cutouts of side ``size``.

    Returns:
        ``(N, 3, 3)``, which take coordinates in [-1, 1] of the changed cutout to those of the unchanged
        one; -1 and 1 are the outer edges of its pixels.
    """
    module, count = _module(augmentation), len(params["batch_prob"])
    shape_alone = torch.zeros(()).expand(count, 3, size, size)
    forward = module.generate_transformation_matrix(shape_alone, params, module.flags)
    # kornia's matrices take pixels' numbers of the unchanged cutout to those of the changed one.
    half = (size - 1) / 2
    pixels = torch.tensor(((size / 2, 0, half), (0, size / 2, half), (0, 0, 1)))
    found = torch.linalg.inv(pixels) @ torch.linalg.inv(forward.float()) @ pixels
    return found / found[:, 2:, 2:]


def apply_kornia(cutouts: torch.Tensor, members: tuple[Kornia | Noise, ...], *, seed: int) -> torch.Tensor:
    """Change cutouts ``(N, 3, S, S)`` by kornia's ``AugmentationSequential`` of the members; what it
    gives in another size is resized to S."""
    side = cutouts.shape[-1]
    pipeline = _pipeline(members)
    with fork_random_state(seed, cutouts.device):
        seen = pipeline(cutouts)
    if seen.shape[-2:] != (side, side):
        seen = F.interpolate(seen, size=(side, side), mode="bilinear", antialias=True)
    return seen


def draw_seed(generator: torch.Generator) -> int:
    """A seed for ``fork_random_state``."""
    return int(torch.randint(2**62, (), generator=generator, device=generator.device))


class RandomStrengthNoise(IntensityAugmentationBase2D):
    """Gaussian noise whose strength is drawn for each cutout from 0 to ``amount``, as the sources add it
    by hand; kornia's own has one strength for all."""

    def __init__(self, amount: float, p: float) -> None:
        super().__init__(p=p)
        self.amount = amount

    def generate_parameters(self, shape: torch.Size) -> dict[str, torch.Tensor]:
        """Strengths ``(N, 1, 1, 1)``."""
        return {"strength": self.amount * torch.rand(shape[0], 1, 1, 1)}

    def apply_transform(self, input, params, flags, transform=None) -> torch.Tensor:
        """Add the noise; the arguments are kornia's."""
        strength = params["strength"].to(input.device, input.dtype, non_blocking=True)
        return input + strength * torch.randn_like(input)


@lru_cache(maxsize=256)
def _module(augmentation: Kornia | Noise) -> nn.Module:
    """The module of an augmentation. Modules keep what they did last: only used inside ``fork_random_state``, or
    with parameters given."""
    if isinstance(augmentation, Noise):
        return RandomStrengthNoise(augmentation.amount, augmentation.p)
    return augmentation.build()


@lru_cache(maxsize=256)
def _pipeline(members: tuple[Kornia | Noise, ...]) -> AugmentationSequential:
    modules = (each.build() if isinstance(each, Kornia) else _module(each) for each in members)
    return AugmentationSequential(*modules, data_keys=["input"])
