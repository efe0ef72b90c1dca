"""Plan the cutouts of one step: sampled on the CPU in float32, uploaded at once, then read from the picture.

The CPU never waits for a GPU, and a seed places the same cutouts on every device.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from pixgen.recipe.cutouts import CutoutSet
from pixgen.synthesis.cutouts.augmentations import AppliedAugmentation, apply_changes, draw_changes
from pixgen.synthesis.cutouts.cutouts import CutoutReads, Placement, plan_reads, read_cutouts
from pixgen.synthesis.precision import full_precision
from pixgen.synthesis.tensors import upload_all


@dataclass(frozen=True)
class CutoutBatch:
    """One batch of a step's cutouts.

    ``shares`` ``(N, P)`` is the weight of each cutout for each prompt.
    """

    places: CutoutReads
    changes: tuple[AppliedAugmentation, ...]
    shares: torch.Tensor

    @property
    def count(self) -> int:
        """The number of cutouts."""
        return len(self.places.paddings)

    def see(self, picture: torch.Tensor) -> torch.Tensor:
        """The cutouts of a picture ``(1, 3, H, W)`` in [0, 1], ``(N, 3, S, S)`` in float32."""
        with full_precision(picture.device):
            return apply_changes(read_cutouts(picture, self.places), self.changes)


def plan_cutouts(
    cutouts: CutoutSet, placement: Placement, shares: torch.Tensor, *, batches: int, size: int,
    height: int, width: int, generator: torch.Generator, device_generator: torch.Generator,
    fused: bool = True,
) -> Iterator[CutoutBatch]:  # fmt: skip
    """Sample the cutouts of one step, in at most so many batches.

    Args:
        placement, shares: of all cutouts, on the CPU.
        size: the side S of a cutout; ``height`` and ``width`` are the picture's.
        generator: of the CPU; the one that sampled the placement.
        device_generator: of noise, on the device where the picture will be; on a CPU the same one.
        fused: as of ``draw_changes``.
    """
    drawn = (
        CutoutBatch(
            plan_reads(places, size=size, height=height, width=width),
            tuple(
                draw_changes(
                    cutouts.augmentations,
                    len(places.paddings),
                    size=size,
                    generator=generator,
                    noise=device_generator,
                    fused=fused,
                )
            ),
            shares[rows],
        )
        for rows, places in placement.in_batches(batches)
    )
    if device_generator.device.type == "cpu":
        return drawn  # lazily: a batch is sampled after the noise of the one before
    return iter(_upload_batches(list(drawn), device_generator.device))


def _upload_batches(batches: list[CutoutBatch], device: torch.device) -> list[CutoutBatch]:
    there = iter(upload_all([each for batch in batches for each in _batch_tensors(batch)], device))
    return [
        CutoutBatch(
            replace(batch.places, matrices=next(there)),
            tuple(
                replace(change, values=tuple(next(there) for _ in change.values)) for change in batch.changes
            ),
            next(there),
        )
        for batch in batches
    ]


def _batch_tensors(batch: CutoutBatch) -> list[torch.Tensor]:
    """The tensors of a batch that its device needs, in the order in which ``_upload_batches`` reads them."""
    return [
        batch.places.matrices,
        *(each for change in batch.changes for each in change.values),
        batch.shares,
    ]
