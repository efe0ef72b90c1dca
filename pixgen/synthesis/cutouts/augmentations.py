"""What augmentations do to cutouts after they are read: colour, sharpness, erasing and noise.

``fused_change`` takes the parameters that kornia has sampled, as small float32 tensors on the CPU, and gives what
is applied later: a GPU gets the values of a whole step in one upload, and never waits for them, as it does in
kornia's own ``apply_transform`` (masks and factors on the CPU).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from einops import einsum

from pixgen.recipe.cutouts import Noise
from pixgen.recipe.kornia_classes import Kornia

GREY = (0.299, 0.587, 0.114)  # the weights of kornia's ``rgb_to_grayscale``
# What kornia's ``RandomSharpness`` blends with is (9 * mean of 3x3 + 4 * pixel) / 13.
_BLUR = 9 / 13


@dataclass(frozen=True)
class AppliedAugmentation:
    """An augmentation of N cutouts with its random values: ``apply`` takes the cutouts ``(N, 3, S, S)`` and
    the ``values``, each ``(N, ...)`` on the cutouts' device."""

    apply: Callable[..., torch.Tensor]
    values: tuple[torch.Tensor, ...] = ()

    def of_rows(self, rows: slice) -> "AppliedAugmentation":
        """The same for some of the cutouts."""
        return replace(self, values=tuple(value[rows] for value in self.values))


def apply_changes(cutouts: torch.Tensor, changes: Sequence[AppliedAugmentation]) -> torch.Tensor:
    """Apply sampled augmentations to cutouts ``(N, 3, S, S)``."""
    for change in changes:
        cutouts = change.apply(cutouts, *change.values)
    return cutouts


def is_fused_change(augmentation: Kornia | Noise) -> bool:
    """Whether ``fused_change`` has the augmentation."""
    if isinstance(augmentation, Noise):
        return True
    black = not dict(augmentation.args).get("value")  # RandomErasing's only argument of this name
    return augmentation.name in _CHANGES and black


def fused_change(
    augmentation: Kornia | Noise,
    params: Mapping[str, torch.Tensor],
    *,
    size: int,
    noise: torch.Generator,
) -> AppliedAugmentation:
    """What an augmentation does to N cutouts of side ``size``.

    Args:
        params: as kornia's ``forward_parameters`` gives them.
        noise: generates Gaussian noise, on the cutouts' device, when it is applied.

    Unlike kornia's, the results are not clipped to [0, 1], where a gradient would end, and hue is a rotation
    about the grey axis instead of a way through HSV.
    """
    if isinstance(augmentation, Noise):
        strength = params["strength"].reshape(-1) * params["batch_prob"]
        return AppliedAugmentation(add_noise(noise), (strength,))
    return _CHANGES[augmentation.name](params, size)


def turn_colours(angle: torch.Tensor, saturation: torch.Tensor) -> torch.Tensor:
    """Matrices ``(N, 3, 3)`` that turn RGB colours about the grey axis by ``angle`` ``(N,)`` in radians (red
    towards green), after their distance from grey is multiplied by ``saturation`` ``(N,)``."""
    device = angle.device
    eye = torch.eye(3, device=device)
    grey = torch.tensor(GREY, device=device).expand(3, 3)
    saturate = saturation[:, None, None] * (eye - grey) + grey
    # A rotation about the grey axis (Rodrigues).
    axis = torch.full((3, 3), 1 / 3, device=device)
    third = 1 / math.sqrt(3)
    cross = torch.tensor(((0, -third, third), (third, 0, -third), (-third, third, 0)), device=device)
    turn = angle.cos()[:, None, None] * (eye - axis) + angle.sin()[:, None, None] * cross + axis
    return turn @ saturate


def erase(
    cutouts: torch.Tensor,
    left: torch.Tensor,
    top: torch.Tensor,
    right: torch.Tensor,
    bottom: torch.Tensor,
    on: torch.Tensor,
) -> torch.Tensor:
    """Blacken a rectangle of each cutout, its edges as parts of the side, where ``on`` is not 0; all ``(N,)``."""
    at = (torch.arange(cutouts.shape[-1], device=cutouts.device) + 0.5) / cutouts.shape[-1]
    columns = (at >= left[:, None]) & (at < right[:, None])
    rows = (at >= top[:, None]) & (at < bottom[:, None])
    hole = rows[:, None, :, None] & columns[:, None, None, :]
    return cutouts.masked_fill(hole & on.bool()[:, None, None, None], 0.0)


def add_noise(generator: torch.Generator) -> Callable[..., torch.Tensor]:
    """Add Gaussian noise of the generator, on the cutouts' device, in a strength ``(N,)``."""

    def add(cutouts: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        pattern = torch.randn(cutouts.shape, generator=generator, device=cutouts.device)
        return cutouts + (strength[:, None, None, None] * pattern).to(cutouts.dtype)

    return add


def _jitter(params: Mapping[str, torch.Tensor], size: int) -> AppliedAugmentation:
    """``ColorJitter``: brightness, contrast, saturation and hue as one matrix.

    kornia's order is random; here contrast comes first, about the cutout's mean grey. For the small hues of the
    published sets, the tests bound the difference.
    """
    on = params["batch_prob"]
    brightness, contrast, saturation = (
        1 + (params[f"{name}_factor"] - 1) * on for name in ("brightness", "contrast", "saturation")
    )
    colours = turn_colours(2 * math.pi * params["hue_factor"] * on, saturation)
    matrix = (brightness * contrast)[:, None, None] * colours
    if bool((contrast == 1).all()):
        return AppliedAugmentation(_mix, (matrix,))
    lift = (brightness * (1 - contrast))[:, None] * torch.tensor(GREY)
    return AppliedAugmentation(_mix_and_lift, (matrix, lift))


def _mix(cutouts: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    return einsum(matrix, cutouts, "n o i, n i h w -> n o h w")


def _mix_and_lift(cutouts: torch.Tensor, matrix: torch.Tensor, lift: torch.Tensor) -> torch.Tensor:
    mean = (cutouts.mean((2, 3)) * lift).sum(1)
    return _mix(cutouts, matrix) + mean[:, None, None, None]


def _sharpness(params: Mapping[str, torch.Tensor], size: int) -> AppliedAugmentation:
    """``RandomSharpness``: a blend with the blurred cutout, but for the outermost pixels."""
    return AppliedAugmentation(_blur, ((1 - params["sharpness"]) * params["batch_prob"] * _BLUR,))


def _blur(cutouts: torch.Tensor, amount: torch.Tensor) -> torch.Tensor:
    inside = F.pad(cutouts.new_ones(cutouts.shape[-2] - 2, cutouts.shape[-1] - 2), (1, 1, 1, 1))
    part = amount[:, None, None, None] * inside
    return torch.lerp(cutouts, F.avg_pool2d(cutouts, 3, 1, padding=1), part)


def _erasing(params: Mapping[str, torch.Tensor], size: int) -> AppliedAugmentation:
    """``RandomErasing`` with black."""
    left, top, width, height = (params[name] / size for name in ("xs", "ys", "widths", "heights"))
    return AppliedAugmentation(erase, (left, top, left + width, top + height, params["batch_prob"]))


_CHANGES: dict[str, Callable[[Mapping[str, torch.Tensor], int], AppliedAugmentation]] = {
    "ColorJitter": _jitter,
    "RandomErasing": _erasing,
    "RandomSharpness": _sharpness,
}
