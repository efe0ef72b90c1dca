"""Camera motion on a journey: move a picture or latent, in its plane or in 3D, and move on through a video."""

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
from pixgen.synthesis.scenes import sound_at
from pixgen.synthesis.tensors import fit_picture, to_tensor, upload, upload_all

_SEAM = 2  # places repeated around the canvas, so that sampling across a border sees the other side
_PADDING = {"reflect": "reflection", "edge": "border", "wrap": "border", "inpaint": "border"}
_FOCAL = (
    2.0  # the distance of the picture's plane, in halves of its shorter side: a field of view of 53 degrees
)
_HORIZON = 0.05  # the least slope of a ray towards the plane


def move(
    tensor: torch.Tensor,
    motion: Motion,
    *,
    border: Literal["reflect", "wrap", "edge", "inpaint"],
    mode: Literal["bicubic", "bilinear"] = "bicubic",
    depth: torch.Tensor | None = None,
) -> torch.Tensor:
    """Move ``(1, C, H, W)`` by a motion; the shape stays.

    Args:
        border: what fills the space beyond the canvas: its mirror image, its other side, its edge repeated, or
            smooth colours of its surroundings.
        depth: how near the picture is at each place, ``(1, 1, h, w)`` on the CPU from 0 (far) to 1; by default it is a
            plane.
    """
    height, width = tensor.shape[-2:]
    if motion.flat and depth is None:
        grid = _motion_grid(motion, height=height, width=width)
    else:
        grid = _camera_grid(motion, height=height, width=width, depth=depth)
    inside = (grid.abs() <= 1).all(-1)[:, None]  # (1, 1, H, W)
    if border == "wrap":
        tensor = F.pad(tensor, (_SEAM,) * 4, mode="circular")
        sides = torch.tensor([width, height])
        grid = torch.remainder(grid + 1, 2) - 1
        grid = grid * sides / (sides + 2 * _SEAM)
    moved = F.grid_sample(
        tensor,
        upload(grid, tensor.device),
        mode=mode,
        padding_mode=_PADDING[border],
        align_corners=False,
    )
    return inpaint(moved, inside) if border == "inpaint" else moved


def inpaint(tensor: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Fill the places of ``(1, C, H, W)`` that are not known, ``(1, 1, H, W)`` bool on the CPU, with means of their
    surroundings: the nearer, the finer (pull and push; Gortler et al., 1996)."""
    if not bool(known.any()):
        return tensor
    # How many levels there are depends on what is known: counted on the CPU, so that no GPU is waited for.
    shares: list[
        torch.Tensor
    ] = []  # of each level what is known, 0 or 1, and its mean over the next one's places
    while not bool(known.all()):
        shares += [known.float(), F.avg_pool2d(known.float(), 2, ceil_mode=True, count_include_pad=False)]
        known = shares[-1] > 0
    there = upload_all(shares, tensor.device) if shares else []
    levels = []
    for share, smaller_share in zip(there[::2], there[1::2], strict=True):
        levels.append((tensor, share))
        tensor = F.avg_pool2d(tensor * share, 2, ceil_mode=True, count_include_pad=False)
        tensor = tensor / smaller_share.clamp(min=1e-6)
    for finer, share in reversed(levels):
        larger = F.interpolate(tensor, size=finer.shape[-2:], mode="bilinear", align_corners=False)
        tensor = torch.where(share > 0, finer, larger)
    return tensor


def _camera_grid(motion: Motion, *, height: int, width: int, depth: torch.Tensor | None) -> torch.Tensor:
    """As ``_motion_grid``, for a camera that turns and moves in front of a plane, or of a depth.

    The ray of each pixel meets the plane at its depth; where that point was seen before is where its colour comes from.
    """
    sides = torch.tensor([width, height]) / min(width, height)
    flat = F.affine_grid(torch.eye(2, 3)[None], [1, 1, height, width], align_corners=False)
    rays = torch.cat([flat * sides, torch.full((1, height, width, 1), _FOCAL)], -1) @ _rotation(motion).T
    far = torch.ones(1, height, width)
    if depth is not None:
        far = 2 - F.interpolate(depth, size=(height, width), mode="bilinear", antialias=True)[:, 0]
    reach = (_FOCAL * (far - motion.dolly)).clamp(min=0.01) / rays[..., 2].clamp(min=_HORIZON)
    seen = rays[..., :2] * (reach / far)[..., None] / sides
    angle, aspect = math.radians(motion.turn), height / width
    cosine, sine = math.cos(angle) / motion.zoom, math.sin(angle) / motion.zoom
    turned = seen @ torch.tensor([[cosine, sine * aspect], [-sine / aspect, cosine]]).T
    return turned + torch.tensor([2 * motion.x, 2 * motion.y]) / far[..., None]


def _rotation(motion: Motion) -> torch.Tensor:
    """The rotation of the camera, ``(3, 3)``, in coordinates to the right, down and ahead."""
    tilt, pan = math.radians(motion.tilt), math.radians(motion.pan)
    up = torch.tensor([[1, 0, 0], [0, math.cos(tilt), -math.sin(tilt)], [0, math.sin(tilt), math.cos(tilt)]])
    right = torch.tensor([[math.cos(pan), 0, math.sin(pan)], [0, 1, 0], [-math.sin(pan), 0, math.cos(pan)]])
    return right @ up


def _motion_grid(motion: Motion, *, height: int, width: int) -> torch.Tensor:
    """The place that each pixel is sampled from, ``(1, H, W, 2)``, in [-1, 1] on the canvas."""
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
    """A video as pictures by frame number."""

    def __getitem__(self, frame: int) -> Image.Image:
        """The picture of a frame; beyond the end, the last one."""


class CameraMotion:
    """Moves the latent and its optimizer's moments from frame to frame of a journey.

    Args:
        pictures: the recipe's video among them, by its path.
        optimizer: its moments are moved with the latent where that has a place for each.
    """

    def __init__(
        self,
        recipe: Recipe,
        drawer: Drawer,
        *,
        pictures: Mapping[str, Any],
        optimizer: torch.optim.Optimizer,
    ) -> None:
        self.journey, self.drawer, self._recipe = recipe.journey, drawer, recipe
        self._is_spatial = recipe.drawer_kind.can_move_latent
        self._fit = partial(fit_picture, width=recipe.width, height=recipe.height, fit=recipe.init.fit)
        self._pictures, self._optimizer = pictures, optimizer
        self._depth: torch.Tensor | None = None
        if self.journey.depth:
            self._depth = to_tensor(pictures[self.journey.depth]).mean(1, keepdim=True)
        self._previous: torch.Tensor | None = None  # the latent shown last, moved with the camera
        self.video_latent: torch.Tensor | None = None  # the latent of the video's newest frame

    def smoothed(self) -> torch.Tensor | None:
        """The latent blended with the frame before, or None where nothing is blended."""
        if self._previous is None:
            return None
        return torch.lerp(self.drawer.latent.detach(), self._previous, self.journey.smooth)

    @torch.no_grad()
    def advance(self, step: int) -> torch.Tensor | None:
        """Move on to the next frame if the picture of a step was one; call it after the optimizer's step.
        Returns the next picture ``(1, 3, H, W)`` of a video, if the journey is over one."""
        journey = self.journey
        if not journey.is_frame(step):
            return None
        frame, drawer = journey.frame(step), self.drawer
        smoothed = self.smoothed()
        shown = drawer.latent.detach().clone() if smoothed is None else smoothed
        if journey.video:
            over = self._latent_of_frame(frame)
            picture = self.frame(frame + 1)
            kept = (drawer.latent.detach() - over).mul_(journey.carry)
            drawer.start_from(picture)
            self.video_latent = drawer.latent.detach().clone()
            drawer.latent.add_(kept)
            shown = shown - over + self.video_latent
        else:
            picture = None
            motion = journey.motion(frame, sound_at(self._recipe, step, self._pictures))
            if not motion.still:
                shown = self._move(shown, motion) if journey.smooth else shown
                drawer.latent.copy_(self._move(drawer.latent.detach(), motion))
                self._move_moments(motion)
        self._previous = shown if journey.smooth else None
        drawer.project()
        return picture

    def frame(self, frame: int) -> torch.Tensor:
        """A frame of the video, fitted to the canvas, ``(1, 3, H, W)`` in [0, 1]."""
        picture = self._pictures[self.journey.video][frame]
        return upload(self._fit(picture), self.drawer.latent.device)

    def state(self) -> torch.Tensor | None:
        """The state beside the latent, for ``restore``."""
        return None if self._previous is None else self._previous.clone()

    def restore(self, state: torch.Tensor | None) -> None:
        """Put a state back."""
        self._previous = None if state is None else state.to(self.drawer.latent.device)
        self.video_latent = None

    def _move(self, latent: torch.Tensor, motion: Motion) -> torch.Tensor:
        """Move a latent: itself, or by way of its picture, as the journey says."""
        if self.journey.where == "latent":
            return move(latent, motion, border=self.journey.border, mode="bilinear", depth=self._depth)
        drawer, own = self.drawer, self.drawer.latent.detach().clone()
        picture = move(drawer.draw(latent).float(), motion, border=self.journey.border, depth=self._depth)
        drawer.start_from(picture.clamp(0, 1))
        found = drawer.latent.detach().clone()
        drawer.latent.copy_(own)
        return found

    def _move_moments(self, motion: Motion) -> None:
        if not self._is_spatial:
            return
        latent = self.drawer.latent
        for values in self._optimizer.state.values():
            for name, value in values.items():
                if torch.is_tensor(value) and value.shape == latent.shape:
                    values[name] = move(
                        value, motion, border=self.journey.border, mode="bilinear", depth=self._depth
                    )

    def _latent_of_frame(self, frame: int) -> torch.Tensor:
        """The latent of a frame of the video, before anything was painted over it."""
        if self.video_latent is None:
            own = self.drawer.latent.detach().clone()
            self.drawer.start_from(self.frame(frame))
            self.video_latent = self.drawer.latent.detach().clone()
            self.drawer.latent.copy_(own)
        return self.video_latent
