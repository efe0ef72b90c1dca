"""Inpainting and outpainting: a drawer that paints inside a mask and keeps the picture elsewhere."""

from collections.abc import Mapping
from functools import cached_property

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.messages import _
from pixgen.recipe.init import Init
from pixgen.synthesis.drawers.base import CodeDrawer, KeptPicture
from pixgen.synthesis.tensors import fit_picture, to_tensor

# Pixels over which the painted part fades into the kept one: a hard edge would be visible.
SOFT = 5


class MaskedDrawer(CodeDrawer):
    """Draws with another drawer inside a mask, and shows a given picture elsewhere.

    Args:
        drawer: draws the whole canvas.
        original: the picture to keep, ``(1, 3, H, W)`` in [0, 1].
        mask: ``(1, 1, H, W)``, 1 where to paint, 0 where to keep.
    """

    kept: KeptPicture

    def __init__(self, drawer: CodeDrawer, *, original: torch.Tensor, mask: torch.Tensor) -> None:
        self.drawer, self.kept = drawer, KeptPicture(original, mask)
        self.latent, self.vqgan = drawer.latent, drawer.vqgan
        self.width, self.height = drawer.width, drawer.height
        self.soft = soften(mask)
        self.painted = masked_codes(mask, factor=drawer.vqgan.factor)  # (1, 1, rows, columns) bool

    @cached_property
    def _kept_latent(self) -> torch.Tensor:
        """The original's latent; encoded on first use, where running out of memory is handled."""
        return self.encode(self.kept.picture)

    def encode(self, picture: torch.Tensor) -> torch.Tensor:
        """Encode a picture ``(1, 3, H, W)`` to a latent."""
        return self.drawer.encode(picture)

    def start_random(self, generator: torch.Generator) -> None:
        """Initialise the painted part with random codes."""
        self.drawer.start_random(generator)
        self._keep()

    def start_from(self, picture: torch.Tensor) -> None:
        """Initialise the painted part with a picture ``(1, 3, H, W)``."""
        self.drawer.start_from(picture)
        self._keep()

    def start_from_codes(self, codes: torch.Tensor) -> None:
        """Initialise the painted part with codes ``(rows, columns)``."""
        self.drawer.start_from_codes(codes)
        self._keep()

    def draw(self, latent: torch.Tensor | None = None) -> torch.Tensor:
        """The whole picture ``(1, 3, H, W)`` in [0, 1]; only the painted part has a gradient."""
        return torch.lerp(self.kept.picture, self.drawer.draw(latent), self.soft)

    def project(self) -> None:
        """Project as the other drawer does, then put the kept part back."""
        self.drawer.project()
        self._keep()

    @torch.no_grad()
    def _keep(self) -> None:
        latent = self.drawer.latent
        latent.copy_(torch.where(self.painted, latent, self._kept_latent))


def soften(mask: torch.Tensor) -> torch.Tensor:
    """Soften a mask ``(1, 1, H, W)``; the soft edges lie inside the painted part."""
    kept = F.max_pool2d(1 - mask, SOFT, stride=1, padding=SOFT // 2)
    margin = (SOFT // 2,) * 4
    return 1 - F.avg_pool2d(F.pad(kept, margin, mode="replicate"), SOFT, stride=1)


def masked_codes(mask: torch.Tensor, *, factor: int) -> torch.Tensor:
    """The places of codes that a mask ``(1, 1, H, W)`` touches, ``(1, 1, rows, columns)`` bool."""
    height, width = mask.shape[-2:]
    whole = F.pad(mask, (0, -width % factor, 0, -height % factor), mode="replicate")
    return F.max_pool2d(whole, factor) > 0.5


def masked_canvas(
    start: Init, *, pictures: Mapping[str, Image.Image], width: int, height: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The picture ``(1, 3, height, width)`` that a masked init keeps, and its mask ``(1, 1, height, width)``.

    Raises RecipeError if there is nothing to paint.
    """
    picture = pictures[start.picture]
    if start.extend:
        return _extend(picture, side=start.extend, width=width, height=height)
    original = fit_picture(picture, width=width, height=height, fit=start.fit)
    drawn = fit_picture(pictures[start.mask], width=width, height=height, fit=start.fit)
    mask = (drawn.mean(1, keepdim=True) > 0.5).float()
    if not mask.any():
        raise RecipeError("The mask is black everywhere: paint the area to repaint white.")
    return original, mask


def _extend(picture: Image.Image, *, side: str, width: int, height: int) -> tuple[torch.Tensor, torch.Tensor]:
    sideways = side in ("left", "right")
    room, breadth = (width, height) if sideways else (height, width)
    long, short = picture.size if sideways else picture.size[::-1]
    length = max(1, round(long * breadth / short))
    if length >= room:
        raise RecipeError(
            "There is nothing to extend to the {side}: the picture already fills a canvas of "
            "{width}×{height}. Choose a {direction} size.",
            side=side,
            width=width,
            height=height,
            direction=_("wider") if sideways else _("higher"),
        )
    size = (length, breadth) if sideways else (breadth, length)
    kept = to_tensor(picture.resize(size, Image.Resampling.LANCZOS))
    before, after = (room - length, 0) if side in ("left", "top") else (0, room - length)
    margin = (before, after, 0, 0) if sideways else (0, 0, before, after)
    mask = F.pad(torch.zeros(1, 1, *kept.shape[-2:]), margin, value=1.0)
    return F.pad(kept, margin, mode="replicate"), mask
