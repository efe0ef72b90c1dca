"""Cutouts of recipes of version 1, which pixgen 0.1 wrote: the same random numbers and formulas, so that they
paint the same pixels.

Their augmentations had formulas and random draws of pixgen's own; today kornia samples them (``sampler``). The
bundled CLIP was trained with them, too.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from einops import einsum
from kornia.geometry.transform import get_perspective_transform

from pixgen.recipe.cutouts import (
    Affine,
    Augmentation,
    ColourJitter,
    CutoutSet,
    Erasing,
    Flip,
    Noise,
    Perspective,
    Sharpness,
    as_kornia,
)
from pixgen.recipe.kornia_classes import Kornia
from pixgen.synthesis.cutouts.augmentations import (
    AppliedAugmentation,
    apply_changes,
    erase,
    turn_colours,
)
from pixgen.synthesis.cutouts.cutouts import Placement, RandomDraws, matrix_of, place_crops
from pixgen.synthesis.cutouts.kornia_pipeline import (
    apply_kornia,
    fused_matrices,
    is_fused,
    sample_parameters,
)
from pixgen.synthesis.precision import full_precision

_CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
_GEOMETRY_KINDS = (Flip, Affine, Perspective)


class EarlierCutoutSampler:
    """A ``CutoutSampler`` of recipes of version 1.

    Args:
        size: the side of the cutouts in pixels.
        generator, noise: as of ``sampler.make_sampler``.
        fused: False for kornia's ``AugmentationSequential``.
    """

    def __init__(
        self,
        cutouts: CutoutSet,
        *,
        size: int,
        generator: torch.Generator,
        noise: torch.Generator,
        fused: bool,
    ) -> None:
        self._cutouts, self._size, self._fused = cutouts, size, fused
        self._generator, self._noise = generator, noise

    def place(self, count: int, *, aspect: float) -> Placement:
        """Sample places with the geometry of their augmentations."""
        return place_cutouts(
            self._cutouts,
            count,
            aspect=aspect,
            generator=self._generator,
            size=self._size,
            fused=self._fused,
        )

    def warp(self, placement: Placement, *, step: int) -> Placement:
        """The same placement: it has its geometry."""
        return placement

    def changes(self, rows: slice, *, step: int) -> list[AppliedAugmentation]:
        """Sample the other augmentations of as many cutouts."""
        return draw_changes(
            self._cutouts.augmentations,
            rows.stop - rows.start,
            size=self._size,
            generator=self._generator,
            noise=self._noise,
            fused=self._fused,
        )


def place_cutouts(
    cutouts: CutoutSet,
    count: int,
    *,
    aspect: float,
    generator: torch.Generator,
    size: int = 224,
    fused: bool = True,
) -> Placement:
    """Sample ``count`` placements for a picture of ``aspect`` (width / height), in float32.

    Args:
        size: the side of the cutouts in pixels, which kornia's parameters refer to.
        fused: whether the geometry of the augmentations is part of the placement; otherwise only the crops
            are.
    """
    with full_precision(generator.device):
        draws = RandomDraws(count, generator)
        placed = place_crops(cutouts.crops, count, aspect=aspect, generator=generator)
        matrix = placed.matrices
        for augmentation in _split_augmentations(cutouts.augmentations)[0] if fused else ():
            if isinstance(augmentation, Kornia):
                seed = _draw_seed(generator)
                params = sample_parameters(augmentation, count, size=size, seed=seed)
                change = fused_matrices(augmentation, params, size=size).to(generator.device)
            else:
                change = _GEOMETRY[type(augmentation)](augmentation, draws)
            matrix = matrix @ change
        return Placement(matrix, placed.paddings)


def augment(
    cutouts: torch.Tensor, augmentations: Sequence[Augmentation], generator: torch.Generator
) -> torch.Tensor:
    """Sample and apply augmentations to cutouts ``(N, 3, S, S)``: colour first, the others in their order."""
    changes = draw_changes(
        augmentations, len(cutouts), size=cutouts.shape[-1], generator=generator, noise=generator
    )
    return apply_changes(cutouts, changes)


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
    _, following = _split_augmentations(augmentations)
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


def _split_augmentations(
    augmentations: Sequence[Augmentation],
) -> tuple[list[Augmentation], list[Augmentation]]:
    """Split augmentations into those that are part of the homography, and those applied after it, each in
    order. A class of kornia is fused only where nothing but geometry and colour comes before it."""
    warped: list[Augmentation] = []
    rest: list[Augmentation] = []
    for each in augmentations:
        free = all(isinstance(other, ColourJitter) for other in rest)
        own = isinstance(each, _GEOMETRY_KINDS)
        (warped if own or (free and isinstance(each, Kornia) and is_fused(each)) else rest).append(each)
    return warped, rest


def _draw_seed(generator: torch.Generator) -> int:
    return int(torch.randint(2**62, (), generator=generator, device=generator.device))


def _flip(flip: Flip, draws: RandomDraws) -> torch.Tensor:
    return matrix_of(1 - 2 * draws.bernoulli(flip.p), 0, 0, 0, 1, 0)


def _affine(affine: Affine, draws: RandomDraws) -> torch.Tensor:
    on = draws.bernoulli(affine.p)
    turn = torch.deg2rad(draws.uniform(-affine.degrees, affine.degrees)) * on
    shear = torch.tan(torch.deg2rad(draws.uniform(-affine.shear, affine.shear))) * on
    scale = 1 + draws.uniform(-affine.scale, affine.scale) * on
    x, y = (2 * draws.uniform(-affine.translate, affine.translate) * on for _ in range(2))
    rotation = matrix_of(
        turn.cos() * scale, -turn.sin() * scale, x, turn.sin() * scale, turn.cos() * scale, y
    )
    return rotation @ matrix_of(1, shear, 0, 0, 1, 0)


def _perspective(perspective: Perspective, draws: RandomDraws) -> torch.Tensor:
    corners = torch.tensor(_CORNERS, device=draws.device).expand(draws.count, 4, 2)
    moves = torch.rand(draws.count, 4, 2, generator=draws.generator, device=draws.device)
    on = draws.bernoulli(perspective.p)[:, None, None]
    moved = corners * (1 - perspective.distortion * moves * on)
    # The cutout's shrunken corners show the whole crop, so they are the ones mapped from.
    return get_perspective_transform(moved, corners)


_GEOMETRY: dict[type, Callable[..., torch.Tensor]] = {
    Flip: _flip,
    Affine: _affine,
    Perspective: _perspective,
}


def _by_kornia(members: tuple[Kornia | Noise, ...], generator: torch.Generator) -> AppliedAugmentation:
    seed = _draw_seed(generator)
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
    gain = (brightness * contrast)[:, None, None]
    matrix = torch.eye(4, device=device).repeat(draws.count, 1, 1)
    matrix[:, :3, :3] = gain * turn_colours(angle, saturation)
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
    return AppliedAugmentation(erase, (left, top, left + width, top + height, on))


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
