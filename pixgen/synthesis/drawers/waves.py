"""Drawers of every pixel without a VQGAN: Fourier waves, wavelets, and a sum of all resolutions.

Each keeps what is optimized in one tensor, so that averages, states and the optimizer handle it like a
VQGAN's latent.
"""

from abc import abstractmethod

import ptwt
import torch
import torch.nn.functional as F
from einops import einsum
from ptwt.constants import WaveletDetailTuple2d

from pixgen.recipe.drawers import Fourier, Multires
from pixgen.synthesis.drawers.base import Drawer

_MARGIN = 0.02  # distance of an initial picture from black and white, which a sigmoid never reaches
_RANDOM = 0.3  # standard deviation of a random initial picture before the sigmoid
# The square root of the covariance of ImageNet's colours, largest norm 1: lucid's decorrelated colour
# space (github.com/tensorflow/lucid, distill.pub/2017/feature-visualization).
_DECORRELATED = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


class _SumDrawer(Drawer):
    """A drawer whose picture is the sigmoid of a linear synthesis; a picture is inverted by the analysis."""

    def __init__(self, *, width: int, height: int, device: torch.device) -> None:
        self.width, self.height, self.device = width, height, device

    def start_from(self, picture: torch.Tensor) -> None:
        """Initialise with a picture ``(1, 3, H, W)``, clamped to [0.02, 0.98]."""
        with torch.no_grad():
            inside = picture.to(self.device).clamp(_MARGIN, 1 - _MARGIN)
            self.latent.copy_(self._analyse(inside.logit()))

    @torch.no_grad()
    def start_random(self, generator: torch.Generator) -> None:
        """Initialise with faint coloured clouds."""
        shape, device = self.latent.shape, generator.device
        self.latent.copy_(torch.randn(shape, generator=generator, device=device))
        spread = self._synthesise(self.latent).std().clamp(min=1e-6)
        self.latent.mul_(_RANDOM / spread)

    def draw(self, latent: torch.Tensor | None = None) -> torch.Tensor:
        """The picture ``(1, 3, H, W)`` in (0, 1)."""
        return self._synthesise(self.latent if latent is None else latent).sigmoid()

    @abstractmethod
    def _synthesise(self, latent: torch.Tensor) -> torch.Tensor:
        """The sum ``(1, 3, H, W)`` of a latent."""

    @abstractmethod
    def _analyse(self, sums: torch.Tensor) -> torch.Tensor:
        """The latent of a sum ``(1, 3, H, W)``."""


def _colour_axes(device: torch.device) -> torch.Tensor:
    """The matrix ``(3, 3)`` that maps decorrelated colours to red, green and blue."""
    axes = torch.tensor(_DECORRELATED, device=device)
    return axes / axes.norm(dim=0).max()


class FourierDrawer(_SumDrawer):
    """Draws with Fourier waves in decorrelated colours: ``latent`` is ``(1, 3, H, W // 2 + 1, 2)``.

    Low frequencies weigh more, so that one learning rate serves all. Source: Olah, Mordvintsev and
    Schubert, distill.pub/2017/feature-visualization.
    """

    def __init__(self, settings: Fourier, *, width: int, height: int, device: torch.device) -> None:
        super().__init__(width=width, height=height, device=device)
        down = torch.fft.fftfreq(height, device=device)[:, None]
        across = torch.fft.rfftfreq(width, device=device)[None]
        lowest = 1 / max(width, height)
        frequency = (down.square() + across.square()).sqrt().clamp(min=lowest)
        scale = (frequency / lowest) ** -settings.decay
        self._scale = (scale / scale.square().mean().sqrt())[..., None]
        self._axes = _colour_axes(device)
        self.latent = torch.zeros(1, 3, *scale.shape, 2, device=device).requires_grad_()

    def _synthesise(self, latent: torch.Tensor) -> torch.Tensor:
        waves = torch.view_as_complex((latent * self._scale).contiguous())
        drawn = torch.fft.irfft2(waves, s=(self.height, self.width), norm="ortho")
        return einsum(self._axes, drawn, "o i, b i h w -> b o h w")

    def _analyse(self, sums: torch.Tensor) -> torch.Tensor:
        plain = einsum(torch.linalg.inv(self._axes), sums, "o i, b i h w -> b o h w")
        return torch.view_as_real(torch.fft.rfft2(plain, norm="ortho")) / self._scale


class WaveletDrawer(_SumDrawer):
    """Draws with wavelets: ``latent`` is ``(1, 3, N)``, the coefficients of all levels, the coarsest first
    and with the largest scale."""

    def __init__(self, settings: Fourier, *, width: int, height: int, device: torch.device) -> None:
        super().__init__(width=width, height=height, device=device)
        self._wavelet, self._axes = settings.wavelet, _colour_axes(device)
        tree = self._wavedec(torch.zeros(1, 3, height, width, device=device))
        parts = [tree[0], *(part for level in tree[1:] for part in level)]
        self._shapes = [part.shape for part in parts]
        levels = [0] + [level for level in range(len(tree) - 1) for _ in range(3)]
        scales = [
            torch.full((shape.numel() // 3,), 2.0 ** (-settings.decay * level), device=device)
            for shape, level in zip(self._shapes, levels, strict=True)
        ]
        scale = torch.cat(scales)
        self._scale = scale / scale.square().mean().sqrt()
        self.latent = torch.zeros(1, 3, len(scale), device=device).requires_grad_()

    def _wavedec(self, plain: torch.Tensor) -> tuple:
        return ptwt.wavedec2(plain, self._wavelet, mode="periodic")

    def _synthesise(self, latent: torch.Tensor) -> torch.Tensor:
        pieces = (latent * self._scale).split([shape.numel() // 3 for shape in self._shapes], dim=2)
        parts = [piece.view(shape) for piece, shape in zip(pieces, self._shapes, strict=True)]
        levels = [WaveletDetailTuple2d(*parts[at : at + 3]) for at in range(1, len(parts), 3)]
        drawn = ptwt.waverec2((parts[0], *levels), self._wavelet)[..., : self.height, : self.width]
        return einsum(self._axes, drawn, "o i, b i h w -> b o h w")

    def _analyse(self, sums: torch.Tensor) -> torch.Tensor:
        plain = einsum(torch.linalg.inv(self._axes), sums, "o i, b i h w -> b o h w")
        tree = self._wavedec(plain)
        parts = [tree[0], *(part for level in tree[1:] for part in level)]
        return torch.cat([part.reshape(1, 3, -1) for part in parts], dim=2) / self._scale


def fourier_drawer(settings: Fourier, *, width: int, height: int, device: torch.device) -> Drawer:
    """The Fourier or the wavelet drawer, as the settings say."""
    kind = FourierDrawer if settings.transform == "fft" else WaveletDrawer
    return kind(settings, width=width, height=height, device=device)


class MultiresDrawer(_SumDrawer):
    """Draws a sum of pictures of every resolution: ``latent`` is ``(1, 3, N)``, the coarsest first.

    Source: Fort and Whitaker, "Direct Ascent Synthesis", arXiv 2502.07753.
    """

    def __init__(self, settings: Multires, *, width: int, height: int, device: torch.device) -> None:
        super().__init__(width=width, height=height, device=device)
        shorter, side = min(width, height), float(settings.smallest)
        self._sizes: list[tuple[int, int]] = []
        while side < shorter:
            size = (max(1, round(height * side / shorter)), max(1, round(width * side / shorter)))
            if size not in self._sizes:
                self._sizes.append(size)
            side *= settings.ratio
        self._sizes.append((height, width))
        scales = [(shorter / min(size)) ** settings.decay for size in self._sizes]
        mean = sum(scales) / len(scales)
        self._scales = [scale / mean for scale in scales]
        count = sum(rows * columns for rows, columns in self._sizes)
        self.latent = torch.zeros(1, 3, count, device=device).requires_grad_()

    def _synthesise(self, latent: torch.Tensor) -> torch.Tensor:
        pieces = latent.split([rows * columns for rows, columns in self._sizes], dim=2)
        return sum(
            scale * self._resize(piece.view(1, 3, *size))
            for piece, size, scale in zip(pieces, self._sizes, self._scales, strict=True)
        )

    def _analyse(self, sums: torch.Tensor) -> torch.Tensor:
        # Each resolution takes its part of the residual of the coarser ones; the last takes the rest.
        left, pieces = sums, []
        for size, scale in zip(self._sizes, self._scales, strict=True):
            piece = F.adaptive_avg_pool2d(left, size)
            left = left - self._resize(piece)
            pieces.append((piece / scale).reshape(1, 3, -1))
        return torch.cat(pieces, dim=2)

    def _resize(self, picture: torch.Tensor) -> torch.Tensor:
        if picture.shape[-2:] == (self.height, self.width):
            return picture
        return F.interpolate(picture, size=(self.height, self.width), mode="bilinear")
