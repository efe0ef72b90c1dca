"""Moves a picture or a latent: nearer, aside, and turned, with no hole at the border."""

# MERGED pixgen.synthesis.travel: The journey's part of the loop: between two frames the view moves, or the next of a video comes.
import math
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, Protocol

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.recipe.journey import Motion
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.drawers.base import Drawer
from pixgen.synthesis.tensors import fit_picture, upload

_SEAM = 2  # places that are repeated round the border, so that sampling across it sees the other side
_PADDING = {"reflect": "reflection", "edge": "border", "wrap": "border"}


def move(
    tensor: torch.Tensor,
    motion: Motion,
    *,
    border: Literal["reflect", "wrap", "edge"],
    mode: Literal["bicubic", "bilinear"] = "bicubic",
) -> torch.Tensor:
    """``(1, C, H, W)`` as it is seen after a motion, the same shape.

    Args:
        border: what is seen beyond the canvas: its mirror image, its other side, or its edge drawn out.
    """
    height, width = tensor.shape[-2:]
    grid = _motion_grid(motion, height=height, width=width)
    if border == "wrap":
        tensor = F.pad(tensor, (_SEAM,) * 4, mode="circular")
        sides = torch.tensor([width, height])
        grid = torch.remainder(grid + 1, 2) - 1
        grid = grid * sides / (sides + 2 * _SEAM)
    return F.grid_sample(
        tensor,
        upload(grid, tensor.device),
        mode=mode,
        padding_mode=_PADDING[border],
        align_corners=False,
    )


def _motion_grid(motion: Motion, *, height: int, width: int) -> torch.Tensor:
    """Where each pixel comes from, ``(1, H, W, 2)``, in [-1, 1] on the canvas."""
    angle = math.radians(motion.turn)
    cosine, sine = math.cos(angle) / motion.zoom, math.sin(angle) / motion.zoom
    aspect = height / width  # the turn is one of squares, not of the canvas
    matrix = torch.tensor(
        [
            [cosine, sine * aspect, 2 * motion.x],
            [-sine / aspect, cosine, 2 * motion.y],
        ]
    )
    return F.affine_grid(matrix[None], [1, 1, height, width], align_corners=False)


class VideoFrames(Protocol):
    """A video, frame by frame."""

    def __getitem__(self, frame: int) -> Image.Image:
        """The picture of a frame; after the last, the last."""


class CameraMotion:
    """Moves the latent, and all that belongs to it, from frame to frame.

    Args:
        pictures: the recipe's video among them, by its path.
        optimizer: its moments move along where they have places.
    """

    def __init__(
        self,
        recipe: Recipe,
        drawer: Drawer,
        *,
        pictures: Mapping[str, Any],
        optimizer: torch.optim.Optimizer,
    ) -> None:
        self.journey, self.drawer = recipe.journey, drawer
        self._has_places = recipe.drawer_kind.can_move_latent
        self._fitted = partial(fit_picture, width=recipe.width, height=recipe.height, fit=recipe.init.fit)
        self._pictures, self._optimizer = pictures, optimizer
        self._before: torch.Tensor | None = None  # what was shown last, as a latent, moved along
        self.painted_over: torch.Tensor | None = None  # the latent of the video's newest frame

    def shown(self) -> torch.Tensor | None:
        """The latent that is shown, if it is not the drawer's own: calmed by the frame before."""
        if self._before is None:
            return None
        return torch.lerp(self.drawer.latent.detach(), self._before, self.journey.smooth)

    @torch.no_grad()
    def go_on(self, step: int) -> torch.Tensor | None:
        """After the picture of a step was judged and the latent has moved: on to the next frame, if
        that picture was one. A video's frame ``(1, 3, H, W)``, if that has come."""
        journey = self.journey
        if not journey.is_frame(step):
            return None
        frame, drawer = journey.frame(step), self.drawer
        calmed = self.shown()
        shown = drawer.latent.detach().clone() if calmed is None else calmed
        if journey.video:
            over = self._latent_of_video(frame)
            picture = self.frame(frame + 1)
            kept = (drawer.latent.detach() - over).mul_(journey.carry)
            drawer.start_from(picture)
            self.painted_over = drawer.latent.detach().clone()
            drawer.latent.add_(kept)
            shown = shown - over + self.painted_over
        else:
            picture = None
            motion = journey.motion(frame)
            if not motion.still:
                shown = self._moved(shown, motion) if journey.smooth else shown
                drawer.latent.copy_(self._moved(drawer.latent.detach(), motion))
                self._move_moments(motion)
        self._before = shown if journey.smooth else None
        drawer.project()
        return picture

    def frame(self, frame: int) -> torch.Tensor:
        """The video's picture of a frame as a canvas, ``(1, 3, H, W)`` in [0, 1]."""
        picture = self._pictures[self.journey.video][frame]
        return self._fitted(picture).to(self.drawer.latent.device)

    def state(self) -> torch.Tensor | None:
        """What the next frames depend on, beside the latent."""
        return None if self._before is None else self._before.clone()

    def restore(self, state: torch.Tensor | None) -> None:
        """Go on from a state."""
        self._before = None if state is None else state.to(self.drawer.latent.device)
        self.painted_over = None

    def _moved(self, latent: torch.Tensor, motion: Motion) -> torch.Tensor:
        """A latent whose picture, or which itself, has moved."""
        if self.journey.where == "latent":
            return move(latent, motion, border=self.journey.border, mode="bilinear")
        drawer, own = self.drawer, self.drawer.latent.detach().clone()
        picture = move(drawer.draw(latent).float(), motion, border=self.journey.border)
        drawer.start_from(picture.clamp(0, 1))
        found = drawer.latent.detach().clone()
        drawer.latent.copy_(own)
        return found

    def _move_moments(self, motion: Motion) -> None:
        if not self._has_places:
            return
        latent = self.drawer.latent
        for values in self._optimizer.state.values():
            for name, value in values.items():
                if torch.is_tensor(value) and value.shape == latent.shape:
                    values[name] = move(value, motion, border=self.journey.border, mode="bilinear")

    def _latent_of_video(self, frame: int) -> torch.Tensor:
        """The latent of a frame of the video, before anything was painted over it."""
        if self.painted_over is None:
            own = self.drawer.latent.detach().clone()
            self.drawer.start_from(self.frame(frame))
            self.painted_over = self.drawer.latent.detach().clone()
            self.drawer.latent.copy_(own)
        return self.painted_over
