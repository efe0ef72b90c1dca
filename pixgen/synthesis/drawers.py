"""Drawers: the tensors that are optimized, and how they become a picture."""

from typing import Protocol

import torch

from pixgen.models.vqgan import Vqgan
from pixgen.synthesis.losses import clamp_with_grad


class Drawer(Protocol):
    """What the optimizer needs of a way to draw."""

    latent: torch.Tensor  # what is optimized, with its gradient

    def start_random(self, generator: torch.Generator) -> None:
        """Begin with chance."""

    def start_from(self, picture: torch.Tensor) -> None:
        """Begin with a picture ``(1, 3, H, W)`` in [0, 1]."""

    def draw(self, latent: torch.Tensor | None = None) -> torch.Tensor:
        """The picture ``(1, 3, H, W)`` in [0, 1] of the latent, or of the one given."""

    def project(self) -> None:
        """Bring the latent back to where it may be, after a step."""


class VqganDrawer:
    """Draws through a VQGAN's decoder: the latent moves, its nearest codes are decoded.

    A canvas that is no multiple of the VQGAN's factor is decoded larger and cut.
    """

    def __init__(self, vqgan: Vqgan, *, width: int, height: int) -> None:
        self.vqgan, self.width, self.height = vqgan, width, height
        self.columns, self.rows = -(-width // vqgan.factor), -(-height // vqgan.factor)
        self.low, self.high = vqgan.bounds()
        self.latent = torch.zeros(
            1, vqgan.codebook.shape[1], self.rows, self.columns, device=vqgan.codebook.device
        ).requires_grad_()

    def start_random(self, generator: torch.Generator) -> None:
        """Begin with a random code at every place."""
        codes = torch.randint(
            len(self.vqgan.codebook), (1, self.rows, self.columns),
            generator=generator, device=generator.device,
        )  # fmt: skip
        self.latent.data.copy_(self.vqgan.lookup(codes))

    def start_from(self, picture: torch.Tensor) -> None:
        """Begin with the latent that the encoder gives for a picture ``(1, 3, H, W)``."""
        self.latent.data.copy_(self.encoded(picture))

    @torch.no_grad()
    def encoded(self, picture: torch.Tensor) -> torch.Tensor:
        """The latent that the encoder gives for a picture ``(1, 3, H, W)``."""
        margin = (0, self.columns * self.vqgan.factor - self.width,
                  0, self.rows * self.vqgan.factor - self.height)  # fmt: skip
        whole = torch.nn.functional.pad(picture, margin, mode="replicate")
        return self.vqgan.encode(whole.to(self.latent.device))

    def start_from_codes(self, codes: torch.Tensor) -> None:
        """Begin with codes ``(rows, columns)`` of this drawer's VQGAN."""
        self.latent.data.copy_(self.vqgan.lookup(codes[None]))

    def draw(self, latent: torch.Tensor | None = None) -> torch.Tensor:
        """The picture ``(1, 3, H, W)`` in [0, 1]; the gradient passes the codes straight through."""
        picture = self.vqgan.decode(self.vqgan.nearest(self.latent if latent is None else latent))
        return clamp_with_grad(picture.float(), 0.0, 1.0)[..., : self.height, : self.width]

    @torch.no_grad()
    def project(self) -> None:
        """Clamp each channel to the codebook's bounds."""
        self.latent.clamp_(self.low, self.high)
