"""Filters of the picture in the loop: windows of a wall of tiles, overlays, and colours that are looked up."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.recipe.effects.filters import Axis, Colouring, Wall
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.precision import clamp_with_grad
from pixgen.synthesis.tensors import fit_picture, to_tensor, upload

Filter = Callable[[torch.Tensor], torch.Tensor]
_RIDGE = 1e-5  # added to the covariance of colours, which a picture of one colour does not have


def wall_window(picture: torch.Tensor, wall: Wall, generator: torch.Generator) -> torch.Tensor:
    """A random window of the wall that a picture ``(1, 3, H, W)`` tiles, of the same size."""
    parts = torch.rand(2, generator=generator).tolist()
    axes: tuple[Axis, Axis] = (-1, -2)
    for axis, part in zip(axes, parts, strict=True):
        side = picture.shape[axis]
        row = torch.cat([picture, picture.flip(axis)], axis) if wall.is_mirrored(axis) else picture
        picture = row.roll(-int(part * row.shape[axis]), axis).narrow(axis, 0, side)
    return picture


def overlay_picture(recipe: Recipe, pictures: Mapping[str, Any], *, width: int, height: int) -> torch.Tensor:
    """A recipe's overlay with its opacity, fitted to the canvas, ``(1, 4, H, W)`` in [0, 1]."""
    given: Image.Image = pictures[recipe.overlay.picture]
    colours = fit_picture(given, width=width, height=height, fit="cover")
    solid = given.getchannel("A") if given.mode == "RGBA" else Image.new("L", given.size, 255)
    opacity = fit_picture(solid, width=width, height=height, fit="cover")[:, :1]
    return torch.cat([colours, opacity * recipe.overlay.alpha], 1)


def blend_overlay(picture: torch.Tensor, overlay: torch.Tensor) -> torch.Tensor:
    """A picture ``(1, 3, H, W)`` below an overlay ``(1, 4, H, W)``."""
    return torch.lerp(picture, overlay[:, :3], overlay[:, 3:])


def colour_filter(colouring: Colouring, pictures: Mapping[str, Any], device: torch.device) -> Filter | None:
    """The filter of a recipe's colouring for pictures ``(1, 3, H, W)`` in [0, 1]; None if there is none.

    Args:
        pictures: the recipe's lookup table ``(N, N, N, 3)`` by its path, blue first, or its picture.
    """
    if not colouring.strength:
        return None
    if colouring.lookup:
        table = upload(torch.as_tensor(pictures[colouring.lookup]), device).float()
        apply: Filter = lambda picture: look_up(picture, table)  # noqa: E731
    elif colouring.picture:
        mean, covariance = _statistics(to_tensor(pictures[colouring.picture]).to(device))
        apply = lambda picture: carry_colours(picture, mean, covariance)  # noqa: E731
    else:
        return None
    return lambda picture: torch.lerp(picture.float(), apply(picture.float()), colouring.strength)


def look_up(picture: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """A picture ``(1, 3, H, W)`` in [0, 1] with its colours looked up in a table ``(N, N, N, 3)`` by blue, green and
    red; linear between its entries."""
    volume = table.permute(3, 0, 1, 2)[None]  # (1, 3, N, N, N)
    places = picture.permute(0, 2, 3, 1)[:, None] * 2 - 1  # (1, 1, H, W, 3): red is the innermost axis
    found = F.grid_sample(volume, places, mode="bilinear", padding_mode="border", align_corners=True)
    return clamp_with_grad(found[:, :, 0], 0.0, 1.0)


def carry_colours(picture: torch.Tensor, mean: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    """A picture ``(1, 3, H, W)`` whose colours have another mean ``(3,)`` and covariance ``(3, 3)``.

    The linear map that moves colours least (Monge and Kantorovich; Pitié and Kokaram, 2007). Its statistics carry no
    gradient.
    """
    own_mean, own = _statistics(picture.detach())
    root, inverse = _root(own), _root(own, -0.5)
    matrix = inverse @ _root(root @ covariance @ root) @ inverse  # symmetric
    moved = torch.einsum("ij,bjhw->bihw", matrix, picture - own_mean[:, None, None]) + mean[:, None, None]
    return clamp_with_grad(moved, 0.0, 1.0)


def _statistics(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean ``(3,)`` and covariance ``(3, 3)`` of a picture's colours."""
    pixels = picture[0].flatten(1).float()  # (3, H W)
    mean = pixels.mean(1)
    far = pixels - mean[:, None]
    return mean, far @ far.T / far.shape[1] + _RIDGE * torch.eye(3, device=pixels.device)


def _root(matrix: torch.Tensor, power: float = 0.5) -> torch.Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp(min=_RIDGE / 10) ** power) @ vectors.T
