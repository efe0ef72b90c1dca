"""How far a picture is from its prompts: free functions on tensors, each with its source."""

import torch


class _ReplaceGrad(torch.autograd.Function):
    """The value of one tensor with the gradient of another."""

    @staticmethod
    def forward(ctx, value: torch.Tensor, follower: torch.Tensor) -> torch.Tensor:
        ctx.shape = follower.shape
        return value

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        return None, gradient.sum_to_size(ctx.shape)


class _ClampWithGrad(torch.autograd.Function):
    """A clamp whose gradient may still bring a value back in, but not push it further out."""

    @staticmethod
    def forward(ctx, value: torch.Tensor, low: float, high: float) -> torch.Tensor:
        ctx.low, ctx.high = low, high
        ctx.save_for_backward(value)
        return value.clamp(low, high)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        (value,) = ctx.saved_tensors
        return gradient * (gradient * (value - value.clamp(ctx.low, ctx.high)) >= 0), None, None


replace_grad = _ReplaceGrad.apply
clamp_with_grad = _ClampWithGrad.apply


def spherical_dist_loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The squared great-circle distance of unit vectors, times two, ``(N, D), (P, D) -> (N, P)``.

    0 when they are one, about 0.8 at a cosine of 0.3, 1.23 at a right angle. Source: Crowson's
    VQGAN+CLIP (arXiv 2204.08583).
    """
    cosine = x @ y.T
    # The chord's length without the difference of all pairs; the floor keeps its root's slope finite.
    chord = (2 - 2 * cosine).clamp(min=1e-6).sqrt()
    return 2 * (chord / 2).clamp(max=1 - 1e-6).arcsin().square()


def prompt_loss(
    distances: torch.Tensor, *, weights: torch.Tensor, stops: torch.Tensor, shares: torch.Tensor
) -> torch.Tensor:
    """The weighted loss of P prompts over N cutouts, a scalar.

    Args:
        distances: from ``spherical_dist_loss``, ``(N, P)``.
        weights: of the prompts, ``(P,)``; negative ones push away. Their sum of magnitudes does not
            matter: it is divided out, so that other losses keep their strength.
        stops: the signed distance below which a prompt no longer pulls, ``(P,)``.
        shares: how much each cutout counts for each prompt, ``(N, P)``, mean 1 a prompt.
    """
    signed = distances * weights.sign()
    held = replace_grad(signed, torch.maximum(signed, stops))
    return (held * shares * weights.abs()).mean(0).sum() / weights.abs().sum().clamp(min=1e-9)
