"""Sample the cutouts of every step: their places by a law of crops, their augmentations by kornia.

kornia samples the parameters of 16 steps at once, which takes hardly longer than for one, with its process-wide
generator forked and seeded from the run's seed and the number of these 16. So they follow from seed and step alone:
a resumed run gets the same ones, runs at the same time do not disturb each other, and every device gets the same.
"""

from collections.abc import Sequence

import numpy as np
import torch

from pixgen.recipe.cutouts import CutoutSet, Noise, as_kornia
from pixgen.recipe.kornia_classes import Kornia
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.cutouts.augmentations import (
    AppliedAugmentation,
    fused_change,
    is_fused_change,
)
from pixgen.synthesis.cutouts.cutouts import CutoutSampler, Placement, place_crops
from pixgen.synthesis.cutouts.earlier_recipes import EarlierCutoutSampler
from pixgen.synthesis.cutouts.kornia_pipeline import (
    apply_kornia,
    fused_matrices,
    is_fused,
    sample_parameters,
)

BLOCK = 16  # steps whose parameters are sampled at once
# They change a pixel by itself or with its neighbours, so that it hardly matters whether the warp comes before.
_COMMUTING = ("ColorJitter", "RandomSharpness")

Member = Kornia | Noise


def make_sampler(
    recipe: Recipe, *, size: int, generator: torch.Generator, noise: torch.Generator
) -> CutoutSampler:
    """The sampler of a recipe's cutouts, of side ``size``.

    Args:
        generator: of the CPU; samples crops, and all else of recipes of version 1.
        noise: of Gaussian noise, on the device where the picture will be; on a CPU the same one.
    """
    fused = recipe.engine.augmentations == "fused"
    cutouts = recipe.cutouts.set_of(recipe.version)
    if recipe.version == 1:
        return EarlierCutoutSampler(cutouts, size=size, generator=generator, noise=noise, fused=fused)
    return KorniaCutoutSampler(
        cutouts,
        recipe.cutouts.count,
        size=size,
        seed=recipe.seed,
        generator=generator,
        noise=noise,
        fused=fused,
    )


def split_augmentations(augmentations: Sequence[Member]) -> tuple[list[Kornia], list[Member]]:
    """Split augmentations into those that are part of the homography, and those applied after it, each in
    order.

    A matrix is part of it where only matrices and what commutes with them, about, come before it: a blur by a
    large kernel or an elastic transform do not.
    """
    warped: list[Kornia] = []
    rest: list[Member] = []
    for each in augmentations:
        free = all(isinstance(other, Kornia) and other.name in _COMMUTING for other in rest)
        if free and isinstance(each, Kornia) and is_fused(each):
            warped.append(each)
        else:
            rest.append(each)
    return warped, rest


class KorniaCutoutSampler:
    """A ``CutoutSampler`` by the published pipelines of kornia.

    Args:
        count: the number of cutouts in a step.
        size: their side in pixels.
        seed: the run's.
        generator, noise: as of ``make_sampler``.
        fused: True to apply geometry in one warp and the published changes of pixels without kornia's own code;
            False to apply everything by kornia's ``AugmentationSequential``.
    """

    def __init__(
        self,
        cutouts: CutoutSet,
        count: int,
        *,
        size: int,
        seed: int,
        generator: torch.Generator,
        noise: torch.Generator,
        fused: bool,
    ) -> None:
        self._generator, self._noise = generator, noise
        self._crops, self._count, self._size, self._seed = cutouts.crops, count, size, seed
        members = [as_kornia(each) for each in cutouts.augmentations]
        self._warped, rest = split_augmentations(members) if fused else ([], members)
        self._fused, self._groups = fused, _group(rest, fused=fused)
        self._block = -1  # whose parameters are held
        self._matrices = torch.empty(0)
        self._changes: dict[int, AppliedAugmentation] = {}  # by the number of a group

    def place(self, count: int, *, aspect: float) -> Placement:
        """Sample crops."""
        return place_crops(self._crops, count, aspect=aspect, generator=self._generator)

    def warp(self, placement: Placement, *, step: int) -> Placement:
        """The placement with the geometry of kornia's classes."""
        if not self._warped:
            return placement
        self._sample(step // BLOCK)
        return Placement(placement.matrices @ self._matrices[self._rows(step)], placement.paddings)

    def changes(self, rows: slice, *, step: int) -> list[AppliedAugmentation]:
        """The augmentations of some rows after they are read, in the order of the list."""
        self._sample(step // BLOCK)
        first, found = self._rows(step).start, []
        for number, group in enumerate(self._groups):
            change = self._changes.get(number)
            if change is None:
                found.append(_by_kornia(group, _seed(self._seed, step, number, rows.start)))
            else:
                found.append(change.of_rows(slice(first + rows.start, first + rows.stop)))
        return found

    def _rows(self, step: int) -> slice:
        """The cutouts of a step among those of its block."""
        first = step % BLOCK * self._count
        return slice(first, first + self._count)

    def _sample(self, block: int) -> None:
        """Sample the parameters of a block, unless they are held."""
        if block == self._block:
            return
        self._matrices, self._changes, self._block = torch.eye(3), {}, block
        for number, each in enumerate(self._warped):
            params = self._parameters(each, _seed(self._seed, block, number))
            self._matrices = self._matrices @ fused_matrices(each, params, size=self._size)
        for number, group in enumerate(self._groups):
            if self._fused and is_fused_change(group[0]):
                params = self._parameters(group[0], _seed(self._seed, block, len(self._warped) + number))
                self._changes[number] = fused_change(group[0], params, size=self._size, noise=self._noise)

    def _parameters(self, member: Member, seed: int) -> dict[str, torch.Tensor]:
        return sample_parameters(member, self._count, size=self._size, seed=seed, steps=BLOCK)


def _group(members: Sequence[Member], *, fused: bool) -> list[tuple[Member, ...]]:
    """Members that are applied together: each of those that are fused alone, the others in runs."""
    alone = [fused and is_fused_change(each) for each in members]
    groups: list[tuple[Member, ...]] = []
    for number, each in enumerate(members):
        if number and not alone[number] and not alone[number - 1]:
            groups[-1] += (each,)
        else:
            groups.append((each,))
    return groups


def _by_kornia(members: tuple[Member, ...], seed: int) -> AppliedAugmentation:
    return AppliedAugmentation(lambda cutouts: apply_kornia(cutouts, members, seed=seed))


def _seed(*numbers: int) -> int:
    """A seed from the run's seed and what it is for."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
