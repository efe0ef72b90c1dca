"""Reading a picture between its pixels; where asked for, so that gradients are summed in a fixed order."""

import torch
import torch.nn.functional as F
from einops import rearrange

from pixgen.models.runtime import current_engine


def grid_sample(picture: torch.Tensor, grid: torch.Tensor, *, padding_mode: str) -> torch.Tensor:
    """``torch.nn.functional.grid_sample``, bilinear and without aligned corners.

    On a GPU its gradient is summed by atomic additions, in whatever order they come, so that two runs differ by
    rounding, and after some steps to the eye. With ``engine.deterministic`` the pixels are looked up by index
    instead, for whose gradient torch sorts.
    """
    if picture.device.type == "cuda" and current_engine().deterministic:
        return grid_sample_by_index(picture, grid, padding_mode=padding_mode)
    return F.grid_sample(picture, grid, padding_mode=padding_mode, align_corners=False)


def grid_sample_by_index(picture: torch.Tensor, grid: torch.Tensor, *, padding_mode: str) -> torch.Tensor:
    """The same from a picture ``(N, C, H, W)`` at places ``(N, h, w, 2)`` in [-1, 1], ``(N, C, h, w)``.

    Args:
        padding_mode: zeros, border or reflection.

    Only the picture gets a gradient.
    """
    count, _, height, width = picture.shape
    x, y = (
        _pad_places(((grid[..., axis] + 1) * side - 1) / 2, side, padding_mode)
        for axis, side in ((0, width), (1, height))
    )
    left, top = x.floor(), y.floor()
    flat = rearrange(picture, "n c h w -> n (h w) c")
    rows = torch.arange(count, device=picture.device)[:, None, None]
    found = torch.zeros((), device=picture.device)
    for column, across in ((left, left + 1 - x), (left + 1, x - left)):
        for row, down in ((top, top + 1 - y), (top + 1, y - top)):
            seen = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            at = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
            found = found + flat[rows, at] * (across * down * seen)[..., None]
    return rearrange(found, "n h w c -> n c h w")


def _pad_places(places: torch.Tensor, side: int, padding_mode: str) -> torch.Tensor:
    """Places in pixels, brought to where padding reads them."""
    if padding_mode == "reflection":  # at the outer edges of the outermost pixels
        turned = (places + 0.5).abs().remainder(2 * side)
        places = torch.minimum(turned, 2 * side - turned) - 0.5
    return places if padding_mode == "zeros" else places.clamp(0, side - 1)
