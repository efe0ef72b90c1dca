"""Prompts with a region: a soft map of where each applies, and cutouts that lie inside it.

Each region gets cutouts, and every cutout counts for a prompt by how much of it lies in the prompt's region.
So CLIP only sees whole pieces of the picture, never a masked hole.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.recipe.prompts import Prompt
from pixgen.synthesis.cutouts.cutouts import Placement, sample_cutouts
from pixgen.synthesis.precision import full_precision
from pixgen.synthesis.tensors import to_tensor

SIDE = 64  # of a map in pixels; regions need no finer detail
_SOFT = 7  # the width in a map's pixels over which the edge of a painted region fades
_STEEP = 10.0  # the slope of a named region's edge, in coordinates in [-1, 1]
_SMALLEST = 0.25  # side of a box, as a part of the picture: smaller ones show CLIP too little
_GLANCE = 8  # the side in pixels at which a cutout's share of a region is measured
_DIRECTIONS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "top": (0.0, -1.0), "bottom": (0.0, 1.0)}

Box = tuple[float, float, float, float]  # left, top, right and bottom in [-1, 1]


def has_region(prompt: Prompt) -> bool:
    """Whether a prompt applies to a part of the picture that is known before anything is painted."""
    return bool(prompt.mask) or prompt.region != "everywhere"


def region_map(prompt: Prompt, pictures: Mapping[str, Any], *, frame: int = 0) -> torch.Tensor:
    """The map of a prompt with a region, ``(1, 1, SIDE, SIDE)``, from 0 to 1 with soft edges.

    Args:
        pictures: the painted regions by their paths, white where a prompt applies; a region that moves is a video of
            pictures by frame.
        frame: of such a video. One that is black everywhere is a map of zeros.

    Raises RecipeError if a painted region is black everywhere.
    """
    if prompt.mask:
        given = pictures[prompt.mask]
        moving = not isinstance(given, Image.Image)
        painted = to_tensor(given[frame] if moving else given).mean(1, keepdim=True)
        whole = F.interpolate(painted, size=(SIDE, SIDE), mode="area")
        margin = (_SOFT // 2,) * 4
        for _ in range(2):  # twice, for a smooth edge
            whole = F.avg_pool2d(F.pad(whole, margin, mode="replicate"), _SOFT, stride=1)
        is_black = float(whole.max()) < 0.1
        if moving and is_black:
            return torch.zeros_like(whole)
        if is_black:
            raise RecipeError(
                "The region of “{label}” is black everywhere: paint white where it applies.",
                label=prompt.label,
            )
        return whole / whole.max()
    at = (torch.arange(SIDE) + 0.5) * (2 / SIDE) - 1
    rows, columns = torch.meshgrid(at, at, indexing="ij")
    if prompt.region == "centre":
        found = (_STEEP * (0.6 - (rows.square() + columns.square()).sqrt())).sigmoid()
    else:
        right, down = _DIRECTIONS[prompt.region]
        found = (_STEEP * (right * columns + down * rows)).sigmoid()
    return found[None, None]


def region_box(where: torch.Tensor) -> Box:
    """The bounding box of a map ``(1, 1, SIDE, SIDE)`` where it is at least 0.5, and no smaller than CLIP
    needs."""
    inside = where[0, 0] >= 0.5
    sides = []
    for along in (inside.any(0), inside.any(1)):
        places = along.nonzero()[:, 0].tolist() or [SIDE // 2]
        low, high = 2 * places[0] / SIDE - 1, 2 * (places[-1] + 1) / SIDE - 1
        missing = max(0.0, 2 * _SMALLEST - (high - low)) / 2
        low, high = max(-1.0, low - missing), min(1.0, high + missing)
        sides.append((low, high))
    (left, right), (top, bottom) = sides
    return left, top, right, bottom


WINDOWS, _WINDOW = 7, 1 / 3  # windows along each side in which CLIP looks for words, and a window's side
RELEVANCE_EVERY = 10  # steps after which regions in words are looked for again


@torch.no_grad()
def relevance_map(
    picture: torch.Tensor, target: torch.Tensor, others: torch.Tensor, perceptor: Perceptor | Perceptors
) -> torch.Tensor:
    """Where CLIP finds a text in a picture ``(1, 3, H, W)``, ``(1, 1, SIDE, SIDE)`` from 0 to 1 on the CPU.

    CLIP looks at overlapping windows; one counts by how much more it is like the text than like others. As coarse as
    the windows, a third of the picture wide: it finds the sky, and no small thing.

    Args:
        target: the text's unit vector ``(D,)``.
        others: unit vectors of texts that it is compared with, ``(N, D)``.
    """
    height, width = picture.shape[-2:]
    high, wide = max(1, round(height * _WINDOW)), max(1, round(width * _WINDOW))
    starts = torch.linspace(0, 1, WINDOWS).tolist()
    windows = [
        F.interpolate(
            picture[
                ...,
                (y := round(down * (height - high))) : y + high,
                (x := round(right * (width - wide))) : x + wide,
            ],
            size=(perceptor.size,) * 2,
            mode="bilinear",
            antialias=True,
        )
        for down in starts
        for right in starts
    ]
    vectors = perceptor.embed_images(torch.cat(windows).float())  # (WINDOWS², D)
    scores = vectors @ target - (vectors @ others.T).mean(1)
    grid = scores.view(1, 1, WINDOWS, WINDOWS).cpu()
    lowest, highest = grid.min(), grid.max()
    grid = (grid - lowest) / (highest - lowest).clamp(min=1e-6)
    smooth = F.interpolate(grid, size=(SIDE,) * 2, mode="bicubic", align_corners=False).clamp(0, 1)
    return (_STEEP * (smooth - 0.5)).sigmoid()


class Regions:
    """The regions of a scene's prompts.

    Args:
        prompts: at least one.
        pictures: the painted regions by their paths.
        frame: of those that move.
        found: the maps of regions in words, ``(1, 1, SIDE, SIDE)``, by these words.
    """

    def __init__(
        self,
        prompts: tuple[Prompt, ...],
        *,
        pictures: Mapping[str, Any],
        device: torch.device,
        frame: int = 0,
        found: Mapping[str, torch.Tensor] | None = None,
    ) -> None:
        own = {
            each.area: region_map(each, pictures, frame=frame).to(device)
            for each in prompts
            if has_region(each)
        }
        own |= {each.area: found[each.where].to(device) for each in prompts if found and each.where in found}
        self.maps = [own.get(each.area) for each in prompts]  # None: everywhere
        self.boxes = [region_box(where) for where in own.values()]  # of each region

    def place(self, place: Callable[..., Placement], count: int, *, aspect: float) -> Placement:
        """Sample ``count`` placements, as ``place`` of a ``CutoutSampler`` does, shared evenly between the boxes
        of the regions and the whole picture."""
        boxes = [*self.boxes, (-1.0, -1.0, 1.0, 1.0)]
        given = 0
        matrices: list[torch.Tensor] = []
        paddings: list[str] = []
        for number, (left, top, right, bottom) in enumerate(boxes, start=1):
            own = number * count // len(boxes) - given
            given += own
            if not own:
                continue
            shape = aspect * (right - left) / (bottom - top)
            placed = place(own, aspect=shape)
            into = torch.tensor(
                [
                    [(right - left) / 2, 0, (left + right) / 2],
                    [0, (bottom - top) / 2, (top + bottom) / 2],
                    [0, 0, 1],
                ],
                device=placed.matrices.device,
            )
            with full_precision(into.device):
                matrices.append(into @ placed.matrices)
            paddings += placed.paddings
        return Placement(torch.cat(matrices), tuple(paddings))

    def shares(self, placed: Placement) -> torch.Tensor:
        """The weight of each of N cutouts for each of P prompts, ``(N, P)``, with mean 1 for a prompt: the
        cube of its part that lies in the prompt's region, so that cutouts of the whole picture count
        little."""
        # Grey padding outside the picture belongs to no region.
        seen = Placement(
            placed.matrices, tuple("zeros" if each == "grey" else each for each in placed.paddings)
        )
        everywhere = torch.ones(len(placed.paddings), device=placed.matrices.device)
        columns = []
        for where in self.maps:
            if where is None:
                columns.append(everywhere)
                continue
            part = sample_cutouts(where, seen, size=_GLANCE).mean((1, 2, 3)) ** 3
            columns.append(part / part.mean().clamp(min=1e-6))
        return torch.stack(columns, dim=1)
