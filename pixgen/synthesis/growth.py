"""A canvas that grows while it is painted: its latent, averages and the optimizer's memory with it.

A latent is scaled by way of its picture: between the codes' own values the decoder draws stripes.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from pixgen.synthesis.drawers import CodeDrawer
from pixgen.synthesis.enlarge import enlarge

# What optimizers remember of gradients, by the power in which they do. A place's gradient is shared by
# all the places that it becomes, so what is remembered shrinks with it: a memory of large
# gradients would hold an Adam's steps short for hundreds of steps.
_POWERS = {
    "exp_avg": 1, "exp_inf": 1, "momentum_buffer": 1, "exp_avg_sq": 2, "square_avg": 2, "sum": 2,
}  # fmt: skip


@torch.no_grad()
def grown_latent(latent: torch.Tensor, *, drawer: CodeDrawer, larger: CodeDrawer) -> torch.Tensor:
    """What a latent of ``drawer`` is for the larger canvas: that of its picture, enlarged."""
    picture = enlarge(drawer.draw(latent), width=larger.width, height=larger.height)
    return larger.encoded(picture)


def grown_memory(memory: Mapping, *, old: torch.Size, new: torch.Size) -> dict:
    """An optimizer's ``state_dict`` of one latent for the latent that it has become.

    Args:
        old, new: the latent's shapes, ``(1, C, h, w)`` and ``(1, C, H, W)``.
    """
    share = old.numel() / new.numel()
    state = {
        number: {
            name: F.interpolate(value, size=new[-2:], mode="bilinear")
            * share ** _POWERS.get(name, 0)
            if isinstance(value, torch.Tensor) and value.shape == old
            else value
            for name, value in values.items()
        }
        for number, values in memory["state"].items()
    }
    return {**memory, "state": state}
