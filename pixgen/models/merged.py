"""Operations with short forms for a GPU, forward and backward: a small step is as long as its launches.

The short forms round otherwise than torch's own operations. On a CPU, where launches cost little, torch's own are
used, so that a recipe keeps its pictures.
"""

import torch
import torch.nn.functional as F

_SMALLEST_LENGTH = 1e-12  # ``F.normalize``'s own
# The chord of equal vectors has no finite slope, and the angle of opposite ones neither.
_LARGEST_COSINE = 1 - 5e-7
_SMALLEST_COSINE = -1 + 4e-6


def merges(tensor: torch.Tensor) -> bool:
    """Whether operations on a tensor are merged: on a GPU, or without values, as a GPU is simulated."""
    return tensor.device.type in ("cuda", "meta")


def merges_weights(module: torch.nn.Module, tensor: torch.Tensor) -> bool:
    """Whether a module's weights are merged with each other for operations on a tensor: on a GPU, unless they are
    trained."""
    return merges(tensor) and not any(each.requires_grad for each in module.parameters())


class _ReplaceGrad(torch.autograd.Function):
    """The value of one tensor with the gradient of another."""

    @staticmethod
    def forward(ctx, value: torch.Tensor, follower: torch.Tensor) -> torch.Tensor:
        ctx.shape = follower.shape
        return value

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        return None, gradient.sum_to_size(ctx.shape)


replace_grad = _ReplaceGrad.apply


def straight_through(quantized: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
    """The quantized latents with the gradient of the latents."""
    if merges(latents):
        return replace_grad(quantized, latents)
    return latents + (quantized - latents).detach()


class _UnitVectors(torch.autograd.Function):
    @staticmethod
    def forward(ctx, vectors: torch.Tensor) -> torch.Tensor:
        length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True, dtype=torch.float32)
        length = length.clamp(min=_SMALLEST_LENGTH)
        unit = vectors / length  # float32, whatever the vectors are
        ctx.dtype = vectors.dtype
        ctx.save_for_backward(unit, length)
        return unit

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        unit, length = ctx.saved_tensors
        along = (gradient * unit).sum(-1, keepdim=True)
        return torch.addcmul(gradient, unit, along, value=-1).div_(length).to(ctx.dtype)


def unit_vectors(vectors: torch.Tensor) -> torch.Tensor:
    """Vectors ``(N, D)`` of any type at length 1, in float32."""
    return _UnitVectors.apply(vectors) if merges(vectors) else F.normalize(vectors.float(), dim=-1)


class _SphericalDistance(torch.autograd.Function):
    @staticmethod
    def forward(ctx, cosine: torch.Tensor) -> torch.Tensor:
        angle = cosine.clamp(_SMALLEST_COSINE, _LARGEST_COSINE).acos_()
        ctx.save_for_backward(angle)
        return angle.square().mul_(0.5)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        (angle,) = ctx.saved_tensors
        return (gradient * angle).div_(angle.sin().neg_())


def spherical_distance(cosine: torch.Tensor) -> torch.Tensor:
    """The squared great-circle distance of unit vectors, times two, by their cosine; of its shape."""
    if merges(cosine):
        return _SphericalDistance.apply(cosine)
    # The chord's length without the difference of all pairs; the floor keeps its root's slope finite.
    chord = torch.rsub(cosine, 2, alpha=2).clamp(min=1e-6).sqrt()  # of 2 - 2 * cosine
    return 2 * (chord / 2).clamp(max=1 - 1e-6).arcsin().square()


class _ScaleAndShift(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx,
        pictures: torch.Tensor,
        scale: torch.Tensor,
        shift: torch.Tensor,
        dtype: torch.dtype,
        memory_format: torch.memory_format,
    ) -> torch.Tensor:
        ctx.dtype = pictures.dtype
        ctx.save_for_backward(scale)
        made = torch.empty_like(pictures, dtype=dtype, memory_format=memory_format)
        return torch.addcmul(shift, pictures, scale, out=made)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        (scale,) = ctx.saved_tensors
        # One launch for the product and the change of type.
        made = torch.empty_like(gradient, dtype=ctx.dtype)
        return torch.mul(gradient, scale, out=made), None, None, None, None


def scale_and_shift(
    pictures: torch.Tensor,
    scale: torch.Tensor,
    shift: torch.Tensor,
    *,
    dtype: torch.dtype,
    memory_format: torch.memory_format = torch.preserve_format,
) -> torch.Tensor:
    """``pictures * scale + shift`` in another type and memory format, in one launch.

    Args:
        pictures: ``(N, C, H, W)``.
        scale, shift: float32 that is broadcast to the pictures; they get no gradient.
    """
    return _ScaleAndShift.apply(pictures, scale, shift, dtype, memory_format)
