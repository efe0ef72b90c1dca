"""Losses on layout: symmetry, a solid border, and seamless tiling."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pixgen.losses.base import Colour, Loss, loss_weight, rgb
from pixgen.recipe.base import Value, setting

if TYPE_CHECKING:
    import torch


class Symmetry(Value):
    """The same left and right, above and below, or turned by half a turn."""

    weight: Annotated[float, loss_weight("Symmetry", offered=50, hint="1 to 20")] = 0.0
    kind: Annotated[
        Literal["horizontal", "vertical", "rotational"],
        setting(
            "Symmetry axis",
            choices={
                "horizontal": "left and right",
                "vertical": "above and below",
                "rotational": "rotated by 180°",
            },
        ),
    ] = "horizontal"


class Edge(Value):
    """A solid border."""

    weight: Annotated[float, loss_weight("Solid border", offered=20, hint="1 to 10")] = 0.0
    colour: Annotated[Colour, setting("Border colour")] = "white"
    margin: Annotated[
        float,
        setting(
            "Border width",
            "As a fraction of the shorter side.",
            gt=0,
            high=0.5,
            offered=(0.01, 0.5),
            step=0.01,
        ),
    ] = 0.05


def symmetry_loss(picture: "torch.Tensor", kind: str = "horizontal") -> "torch.Tensor":
    """The mean squared difference to the picture mirrored left to right (``horizontal``), top to bottom
    (``vertical``), or turned by half a turn (``rotational``)."""
    axes = {"horizontal": (-1,), "vertical": (-2,), "rotational": (-2, -1)}[kind]
    return (picture - picture.flip(axes)).square().mean()


def edge_loss(picture: "torch.Tensor", colour: Sequence[float], *, margin: float = 0.05) -> "torch.Tensor":
    """The mean squared distance of the border to a colour; its width is a fraction of the shorter side."""
    height, width = picture.shape[-2:]
    wide = max(1, round(margin * min(height, width)))
    inside = picture.new_ones(height, width)
    inside[wide : height - wide, wide : width - wide] = 0
    wanted = picture.new_tensor(colour)[:, None, None]
    return ((picture - wanted).square() * inside).sum() / (3 * inside.sum())


def tiling_loss(picture: "torch.Tensor", axes: Sequence[int] = (-1, -2)) -> "torch.Tensor":
    """How visible the seams of a repeated picture are: the mean squared difference between the step across a
    seam and the steps on both sides of it. ``axes``: those along which it is repeated."""
    import torch

    seams = []
    for axis in axes:
        last, first, beyond = (picture.select(axis, at) for at in (-1, 0, 1))
        before = picture.select(axis, -2)
        seams.append(((first - last) - (beyond - first + last - before) / 2).square().mean())
    return torch.stack(seams).mean()


SymmetryLoss = Annotated[Symmetry, Loss(lambda own, given: partial(symmetry_loss, kind=own.kind))]
EdgeLoss = Annotated[
    Edge,
    Loss(lambda own, given: partial(edge_loss, colour=rgb(own.colour), margin=own.margin)),
]
Tiling = Annotated[
    float,
    loss_weight("Seamless tile", offered=50, hint="1 to 20"),
    Loss(lambda own, given: tiling_loss),
]
