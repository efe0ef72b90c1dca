"""Augmentations of cutouts after they are sampled: colour, sharpness, erasing, noise, and kornia's.

Their random values are sampled first, as small float32 tensors on the generator's device, and applied
afterwards, so that a GPU gets the random numbers of a whole step in one upload.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import einsum

from pixgen.recipe.cutouts import Augmentation, ColourJitter, Erasing, Noise, Sharpness, as_kornia
from pixgen.recipe.kornia_classes import Kornia
from pixgen.synthesis.cutouts import kornia_pipeline

_GREY = (0.299, 0.587, 0.114)


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
    _, following = kornia_pipeline.split_augmentations(augmentations)
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
    seed = kornia_pipeline.draw_seed(generator)
    return AppliedAugmentation(lambda cutouts: kornia_pipeline.apply_kornia(cutouts, members, seed=seed))


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
