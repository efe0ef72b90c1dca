"""The interface of a drawer, the tensor that is optimized and how it becomes a picture; the VQGAN
drawer, and SVG documents of a drawer's shapes."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.synthesis.precision import clamp_with_grad


@dataclass(frozen=True)
class KeptPicture:
    """A picture ``(1, 3, H, W)`` that stays unchanged where a mask ``(1, 1, H, W)`` is 0."""

    picture: torch.Tensor
    mask: torch.Tensor


class Drawer(ABC):
    """The interface of a drawer. Its capabilities, such as growing, are in ``recipe.drawer_kind``."""

    latent: torch.Tensor  # what is optimized, with its gradient
    vqgan: Vqgan | None = None  # of a drawer that draws through one
    kept: KeptPicture | None = None  # of a drawer that paints only a part of a picture anew

    @abstractmethod
    def start_random(self, generator: torch.Generator) -> None:
        """Initialise the latent with random values."""

    @abstractmethod
    def start_from(self, picture: torch.Tensor) -> None:
        """Initialise the latent with a picture ``(1, 3, H, W)`` in [0, 1]."""

    @abstractmethod
    def draw(self, latent: torch.Tensor | None = None) -> torch.Tensor:
        """Draw the picture ``(1, 3, H, W)`` in [0, 1] of the latent, or of the given one."""

    def project(self) -> None:  # noqa: B027 - for some there is nothing to do
        """Bring the latent back into its range after a step."""

    def start_from_sketch(
        self, picture: torch.Tensor, codes: torch.Tensor | None, vqgan: Vqgan | None
    ) -> None:
        """Initialise the latent with a sketch: its picture ``(1, 3, H, W)``, and its codes
        ``(rows, columns)`` of a VQGAN if it has any."""
        self.start_from(picture)

    def to_svg(self) -> str:
        """The picture as an SVG document; for drawers with ``can_svg``."""
        raise NotImplementedError

    def middle(self) -> torch.Tensor:
        """The mean of all latents, in the latent's shape."""
        return torch.zeros_like(self.latent)


class CodeDrawer(Drawer):
    """A drawer whose latent has one vector of a VQGAN's codebook space at each place."""

    vqgan: Vqgan
    width: int
    height: int

    @abstractmethod
    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        """Encode a picture ``(1, 3, H, W)`` to a latent."""

    @abstractmethod
    def start_from_codes(self, codes: torch.Tensor) -> None:
        """Initialise the latent with codes ``(rows, columns)`` of this drawer's VQGAN."""

    def start_from_sketch(
        self, picture: torch.Tensor, codes: torch.Tensor | None, vqgan: Vqgan | None
    ) -> None:
        """Initialise with the codes if they are this VQGAN's and fit the canvas, otherwise with the
        picture."""
        if codes is None or vqgan is not self.vqgan or codes.shape != self.latent.shape[2:]:
            self.start_from(picture)
        else:
            self.start_from_codes(codes)

    def middle(self) -> torch.Tensor:
        """The mean of the codebook at every place."""
        return torch.zeros_like(self.latent) + self.vqgan.codebook.mean(0)[:, None, None]


class VqganDrawer(CodeDrawer):
    """Draws with a VQGAN's decoder: the latent ``(1, C, rows, columns)`` is quantized to its nearest codes,
    which are decoded.

    A canvas that is not a multiple of the VQGAN's factor is decoded larger and cropped.
    """

    def __init__(self, vqgan: Vqgan, *, width: int, height: int) -> None:
        self.vqgan, self.width, self.height = vqgan, width, height
        self.columns, self.rows = -(-width // vqgan.factor), -(-height // vqgan.factor)
        self.low, self.high = vqgan.bounds()
        self.latent = torch.zeros(
            1, vqgan.codebook.shape[1], self.rows, self.columns, device=vqgan.codebook.device
        ).requires_grad_()

    def start_random(self, generator: torch.Generator) -> None:
        """Initialise the latent with a random code at every place."""
        codes = torch.randint(
            len(self.vqgan.codebook),
            (1, self.rows, self.columns),
            generator=generator,
            device=generator.device,
        )
        self.latent.data.copy_(self.vqgan.lookup(codes))

    def start_from(self, picture: torch.Tensor) -> None:
        """Initialise the latent by encoding a picture ``(1, 3, H, W)``."""
        self.latent.data.copy_(self.encode(picture))

    @torch.no_grad()
    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        """Encode a picture ``(1, 3, H, W)`` to a latent."""
        margin = (
            0,
            self.columns * self.vqgan.factor - self.width,
            0,
            self.rows * self.vqgan.factor - self.height,
        )
        whole = torch.nn.functional.pad(picture, margin, mode="replicate")
        return self.vqgan.encode(whole.to(self.latent.device))

    def start_from_codes(self, codes: torch.Tensor) -> None:
        """Initialise the latent with codes ``(rows, columns)`` of this drawer's VQGAN."""
        self.latent.data.copy_(self.vqgan.lookup(codes[None]))

    def draw(self, latent: torch.Tensor | None = None) -> torch.Tensor:
        """The picture ``(1, 3, H, W)`` in [0, 1]; the gradient passes the quantization straight through."""
        picture = self.vqgan.decode(self.vqgan.nearest(self.latent if latent is None else latent))
        return clamp_with_grad(picture.float(), 0.0, 1.0)[..., : self.height, : self.width]

    @torch.no_grad()
    def project(self) -> None:
        """Clamp each channel to the codebook's bounds."""
        self.latent.clamp_(self.low, self.high)


def svg_document(shapes: Iterable[str], *, width: int, height: int, crisp: bool = False) -> str:
    """An SVG document of a canvas in pixels.

    Args:
        shapes: elements, the lowest first.
        crisp: whether edges are drawn without antialiasing, so that cells that touch leave no gap.
    """
    rendering = ' shape-rendering="crispEdges"' if crisp else ""
    lines = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f"{rendering}>\n{lines}\n</svg>\n"
    )


def hex_colour(colour: Sequence[float]) -> str:
    """A colour, each part in [0, 1], as ``#rrggbb``."""
    return "#" + "".join(f"{round(min(max(float(part), 0), 1) * 255):02x}" for part in colour)
