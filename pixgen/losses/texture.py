"""Losses on texture: total variation, smoothness, and the style of another picture (Gram matrices)."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from einops import rearrange
from pydantic import model_validator

from pixgen.errors import InvalidValue
from pixgen.losses.base import Loss, PicturePath, loss_weight
from pixgen.recipe.base import Value, setting

if TYPE_CHECKING:
    import torch

_STRONG_EDGE = 0.25  # a step between neighbours that "clipped" smoothness leaves alone


class Smoothness(Value):
    """Flat areas. ``clipped`` leaves strong edges alone; ``log`` smooths weak noise most."""

    weight: Annotated[float, loss_weight("Flat areas", hint="0.1 to 2")] = 0.0
    kind: Annotated[
        Literal["default", "clipped", "log"],
        setting(
            "Flat areas, method",
            choices={
                "default": "everywhere",
                "clipped": "keep strong edges",
                "log": "mostly in noisy areas",
            },
        ),
    ] = "default"


class Style(Value):
    """The strokes and textures of a picture."""

    weight: Annotated[
        float, loss_weight("In the style of the picture below", offered=10, hint="0.5 to 5")
    ] = 0.0
    picture: PicturePath = ""

    @model_validator(mode="after")
    def _complete(self) -> "Style":
        if self.weight and not self.picture:
            raise InvalidValue("the style loss needs the path of a picture")
        return self


def total_variation_loss(picture: "torch.Tensor") -> "torch.Tensor":
    """Total variation: the mean squared difference of neighbours.

    Source: Mahendran and Vedaldi, arXiv 1412.0035.
    """
    return picture.diff(dim=-1).square().mean() + picture.diff(dim=-2).square().mean()


def smoothness_loss(picture: "torch.Tensor", kind: str = "default") -> "torch.Tensor":
    """The mean length of the gradient; ``clipped`` at a strong edge, or of its ``log``."""
    across, down = picture.diff(dim=-1)[..., :-1, :], picture.diff(dim=-2)[..., :-1]
    steepness = (across.square() + down.square() + 1e-8).sqrt() - 1e-4
    if kind == "clipped":
        steepness = steepness.clamp(max=_STRONG_EDGE)
    elif kind == "log":
        steepness = (10 * steepness).log1p() / 10
    return steepness.mean()


class StyleStatistics:
    """The statistics of a style: how often small patterns occur together, at three scales (Gram matrices).

    Patterns are random filters, which need no weights to be fetched; their products, summed over the
    picture, are Gram matrices. Sources: Gatys and others, arXiv 1505.07376; Ustyuzhaninov and others,
    arXiv 1606.00021, on random filters.
    """

    def __init__(self, picture: "torch.Tensor", *, filters: int = 64, scales: int = 3) -> None:
        import torch

        chance = torch.Generator().manual_seed(1606)
        banks = [torch.randn(filters, 3, side, side, generator=chance) for side in (3, 7)]
        # Without their mean, filters see patterns; colours are compared by themselves.
        banks = [bank - bank.mean(dim=(2, 3), keepdim=True) for bank in banks]
        self._banks = [
            (bank / bank.square().sum(dim=(1, 2, 3), keepdim=True).sqrt()).to(picture.device)
            for bank in banks
        ]
        self._scales = scales
        with torch.no_grad():
            self._wanted = self._measured(picture)
        self._sizes = [each.square().mean().clamp(min=1e-6) for each in self._wanted]

    def loss(self, picture: "torch.Tensor") -> "torch.Tensor":
        """The relative squared distance of another picture's statistics from these."""
        import torch

        pairs = zip(self._measured(picture), self._wanted, self._sizes, strict=True)
        return torch.stack([(is_ - was).square().mean() / size for is_, was, size in pairs]).mean()

    def _measured(self, picture: "torch.Tensor") -> list["torch.Tensor"]:
        import torch.nn.functional as F

        colours = rearrange(picture, "1 c h w -> c (h w)")
        found = [colours.mean(1), colours @ colours.T / colours.shape[1]]
        for _ in range(self._scales):
            for bank in self._banks:
                side = bank.shape[-1]
                padded = F.pad(picture, (side // 2,) * 4, mode="replicate")
                seen = rearrange(F.conv2d(padded, bank).relu(), "1 n h w -> n (h w)")
                found.append(seen @ seen.T / seen.shape[1])
            picture = F.avg_pool2d(picture, 2, ceil_mode=True)
        return found


TotalVariation = Annotated[
    float,
    loss_weight("Smoothness", offered=10, hint="0.1 to 10"),
    Loss(lambda own, given: total_variation_loss),
]
SmoothnessLoss = Annotated[Smoothness, Loss(lambda own, given: partial(smoothness_loss, kind=own.kind))]
StyleLoss = Annotated[Style, Loss(lambda own, given: StyleStatistics(given.picture(own.picture)).loss)]
