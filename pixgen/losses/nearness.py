"""Losses that keep the picture near the initial picture or its latent, and weight decay of the latent."""

from typing import TYPE_CHECKING, Annotated

from pixgen.losses.base import Loss, loss_weight

if TYPE_CHECKING:
    import torch


def distance_loss(now: "torch.Tensor", start: "torch.Tensor") -> "torch.Tensor":
    """The mean squared distance of a picture, or of a latent, to that of the start."""
    if now.is_cuda:  # seven launches fewer; it rounds otherwise
        from torch.nn.functional import mse_loss

        return mse_loss(now, start)
    return (now - start).square().mean()


def size_loss(latent: "torch.Tensor", start: "torch.Tensor") -> "torch.Tensor":
    """The mean square of a latent."""
    return latent.square().mean()


StartPixels = Annotated[
    float,
    loss_weight("Keep the colours", offered=20, hint="0.1 to 10"),
    Loss(lambda own, given: distance_loss, of="picture and start"),
]
StartLatent = Annotated[
    float,
    loss_weight("Keep the subject", offered=10, hint="0.1 to 10"),
    Loss(lambda own, given: distance_loss, of="latent and start"),
]
LatentDecay = Annotated[
    float,
    loss_weight("Latent decay", offered=10, hint="0.1 to 10"),
    Loss(lambda own, given: size_loss, of="latent and start"),
]
