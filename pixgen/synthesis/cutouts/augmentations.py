"""Augmentations of cutouts after they are sampled: colour, sharpness, erasing, noise, and kornia's.

Their random values are sampled first, as small float32 tensors on the generator's device, and applied
afterwards, so that a GPU gets the random numbers of a whole step in one upload.

kornia draws from torch's process-wide generators. Their state is replaced by one that the run's generator
seeds, and put back afterwards: runs at the same time do not disturb each other, and a run can be repeated.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import torch
import torch.nn as nn
import torch.nn.functional as F
from einops import einsum
from kornia.augmentation import (
    AugmentationSequential,
    GeometricAugmentationBase2D,
    IntensityAugmentationBase2D,
)

from pixgen.recipe.cutouts import (
    Affine,
    Augmentation,
    ColourJitter,
    Erasing,
    Flip,
    Noise,
    Perspective,
    Sharpness,
    as_kornia,
)
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
_GREY = (0.299, 0.587, 0.114)


def is_fused(augmentation: Augmentation) -> bool:
    """Whether an augmentation is a matrix that can be part of the cutouts' homography."""
    if isinstance(augmentation, Kornia):
        nearest = dict(augmentation.args).get("resample") in ("nearest", "NEAREST", 0)
        return augmentation.name in FUSED_CLASSES and not nearest
    return isinstance(augmentation, _OWN_GEOMETRY)


def split_augmentations(
    augmentations: Sequence[Augmentation],
) -> tuple[list[Augmentation], list[Augmentation]]:
    """Split augmentations into those that are part of the homography, and those applied after it, each in
    order.

    A class of kornia is fused only where nothing but geometry and colour comes before it: others, such as
    blur, may not commute with it.
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
    """Matrices of a fused class for ``count`` cutouts, as of ``fused_matrices``, from parameters that kornia
    samples."""
    module = _geometric_module(augmentation)
    with fork_random_state(draw_seed(generator), torch.device("cpu")):
        params = module.forward_parameters(torch.Size((count, 3, size, size)))
    return fused_matrices(augmentation, params, size=size).to(generator.device)


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
    with fork_random_state(seed, cutouts.device):
        seen = pipeline(cutouts)
    if seen.shape[-2:] != (side, side):
        seen = F.interpolate(seen, size=(side, side), mode="bilinear", antialias=True)
    return seen


def draw_seed(generator: torch.Generator) -> int:
    """Draw a seed for ``fork_random_state``."""
    return int(torch.randint(2**62, (), generator=generator, device=generator.device))


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
    """The module of an augmentation. Modules keep what they did last: only used inside ``fork_random_state``,
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


@dataclass(frozen=True)
class AppliedAugmentation:
    """An augmentation of N cutouts with its random values: ``apply`` takes the cutouts ``(N, 3, S, S)`` and
    the ``values``, on the cutouts' device."""

    apply: Callable[..., torch.Tensor]
    values: tuple[torch.Tensor, ...] = ()


def augment(
    cutouts: torch.Tensor, augmentations: Sequence[Augmentation], generator: torch.Generator
) -> torch.Tensor:
    """Sample and apply augmentations to cutouts ``(N, 3, S, S)``: colour first, the others in their order."""
    changes = draw_changes(
        augmentations, len(cutouts), size=cutouts.shape[-1], generator=generator, noise=generator
    )
    return apply_changes(cutouts, changes)


def apply_changes(cutouts: torch.Tensor, changes: Sequence[AppliedAugmentation]) -> torch.Tensor:
    """Apply sampled augmentations to cutouts ``(N, 3, S, S)``."""
    for change in changes:
        cutouts = change.apply(cutouts, *change.values)
    return cutouts


def draw_changes(
    augmentations: Sequence[Augmentation],
    count: int,
    *,
    size: int,
    generator: torch.Generator,
    noise: torch.Generator,
    fused: bool = True,
) -> list[AppliedAugmentation]:
    """Sample the augmentations of ``count`` cutouts of side ``size``, in the order in which they are applied.

    Args:
        generator: of the values that are sampled now.
        noise: of Gaussian noise, which is as large as the cutouts and sampled on their device.
        fused: False to apply everything by kornia's ``AugmentationSequential``, geometry too.
    """
    if not fused:
        members = tuple(map(as_kornia, augmentations))
        return [_by_kornia(members, generator)] if members else []
    draws = RandomDraws(count, generator)
    _, following = split_augmentations(augmentations)
    changes = []
    if colours := [each for each in following if isinstance(each, ColourJitter)]:
        matrix = torch.eye(4, device=draws.device).expand(count, 4, 4)
        for jitter in colours:
            matrix = _colour_matrix(jitter, draws) @ matrix
        changes.append(AppliedAugmentation(_recolour, (matrix,)))
    following = [each for each in following if not isinstance(each, ColourJitter)]
    while following:
        each = following.pop(0)
        if isinstance(each, Kornia):
            together = [each]
            while following and isinstance(another := following[0], Kornia):
                together.append(another)
                following.pop(0)
            changes.append(_by_kornia(tuple(together), generator))
        elif isinstance(each, Noise):
            changes.append(_noise(each, draws, size, noise, last=not following))
        else:
            changes.append(_PIXELS[type(each)](each, draws))
    return changes


class RandomDraws:
    """Random numbers for ``count`` cutouts, sampled on the generator's device."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count, self.generator, self.device = count, generator, generator.device

    def uniform(self, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """``(N,)`` between two numbers."""
        drawn = torch.rand(self.count, generator=self.generator, device=self.device)
        return low + (high - low) * drawn

    def normal(self, *shape: int) -> torch.Tensor:
        """``(N, *shape)`` with mean 0 and deviation 1."""
        return torch.randn(self.count, *shape, generator=self.generator, device=self.device)

    def bernoulli(self, p: float) -> torch.Tensor:
        """1 with probability ``p``, otherwise 0, ``(N,)``."""
        return (self.uniform() < p).float()


def _by_kornia(members: tuple[Kornia | Noise, ...], generator: torch.Generator) -> AppliedAugmentation:
    seed = draw_seed(generator)
    return AppliedAugmentation(lambda cutouts: apply_kornia(cutouts, members, seed=seed))


def _recolour(cutouts: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    matrix = matrix.to(cutouts.dtype)
    cutouts = einsum(matrix[:, :3, :3], cutouts, "n o i, n i h w -> n o h w")
    return cutouts + matrix[:, :3, 3, None, None]


def _colour_matrix(jitter: ColourJitter, draws: RandomDraws) -> torch.Tensor:
    """Brightness, contrast, saturation and hue as one ``(N, 4, 4)``."""
    on, device = draws.bernoulli(jitter.p), draws.device
    brightness, contrast, saturation = (
        1 + draws.uniform(-amount, amount) * on
        for amount in (jitter.brightness, jitter.contrast, jitter.saturation)
    )
    angle = 2 * math.pi * draws.uniform(-jitter.hue, jitter.hue) * on
    eye = torch.eye(3, device=device)
    grey = torch.tensor(_GREY, device=device).expand(3, 3)
    saturate = saturation[:, None, None] * (eye - grey) + grey
    # A rotation about the grey axis (Rodrigues).
    axis = torch.full((3, 3), 1 / 3, device=device)
    third = 1 / math.sqrt(3)
    cross = torch.tensor(((0, -third, third), (third, 0, -third), (-third, third, 0)), device=device)
    turn = angle.cos()[:, None, None] * (eye - axis) + angle.sin()[:, None, None] * cross + axis
    gain = (brightness * contrast)[:, None, None]
    matrix = torch.eye(4, device=device).repeat(draws.count, 1, 1)
    matrix[:, :3, :3] = gain * (turn @ saturate)
    matrix[:, :3, 3] = (0.5 * brightness * (1 - contrast))[:, None]
    return matrix


def _sharpening(sharpness: Sharpness, draws: RandomDraws) -> AppliedAugmentation:
    amount = draws.uniform(0, sharpness.amount) * draws.bernoulli(sharpness.p)
    return AppliedAugmentation(_sharpen, (amount,))


def _sharpen(cutouts: torch.Tensor, amount: torch.Tensor) -> torch.Tensor:
    blurred = F.avg_pool2d(F.pad(cutouts, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return cutouts + amount[:, None, None, None].to(cutouts.dtype) * (cutouts - blurred)


def _erasing(erasing: Erasing, draws: RandomDraws) -> AppliedAugmentation:
    count = 1 if erasing.together else draws.count
    drawn = RandomDraws(count, draws.generator)
    area = drawn.uniform(erasing.smallest, erasing.largest)
    shape = torch.exp(drawn.uniform(-math.log(3), math.log(3)) / 2)
    width, height = (area.sqrt() * shape).clamp(max=1), (area.sqrt() / shape).clamp(max=1)
    left, top = (1 - width) * drawn.uniform(), (1 - height) * drawn.uniform()
    on = draws.bernoulli(erasing.p)
    return AppliedAugmentation(_erase, (left, top, left + width, top + height, on))


def _erase(cutouts, left, top, right, bottom, on) -> torch.Tensor:
    at = (torch.arange(cutouts.shape[-1], device=cutouts.device) + 0.5) / cutouts.shape[-1]
    columns = (at >= left[:, None]) & (at < right[:, None])
    rows = (at >= top[:, None]) & (at < bottom[:, None])
    hole = rows[:, None, :, None] & columns[:, None, None, :]
    return cutouts.masked_fill(hole & on.bool()[:, None, None, None], 0.0)


def _noise(
    noise: Noise, draws: RandomDraws, size: int, generator: torch.Generator, *, last: bool
) -> AppliedAugmentation:
    strength = draws.uniform(0, noise.amount) * draws.bernoulli(noise.p)
    # With one generator for all, values after the noise must be sampled after it.
    now = generator is draws.generator and not last
    drawn = draws.normal(3, size, size) if now else None

    def add(cutouts: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        pattern = drawn
        if pattern is None:
            pattern = RandomDraws(len(cutouts), generator).normal(*cutouts.shape[1:])
        return cutouts + (strength[:, None, None, None] * pattern).to(cutouts.dtype)

    return AppliedAugmentation(add, (strength,))


_PIXELS: dict[type, Callable[..., AppliedAugmentation]] = {Sharpness: _sharpening, Erasing: _erasing}
