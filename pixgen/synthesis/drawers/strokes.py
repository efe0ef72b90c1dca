"""Brush strokes: curves with a width, a colour and an opacity, drawn differentiably.

A pixel's coverage by a stroke is a soft step of its distance to the curve. The nearest place on the curve is
found without a gradient; the gradient of the distance at that place is exact, because moving the nearest
place does not change the distance (the envelope theorem). So no other renderer is needed.
"""

import math

import torch
import torch.nn.functional as F
from einops import rearrange

from pixgen.models.merged import merges
from pixgen.recipe.drawers import Lines
from pixgen.synthesis.drawers.base import Drawer, hex_colour, svg_document
from pixgen.synthesis.precision import full_precision

_PLACES = 12  # points of a curve that are searched for the nearest, before it is refined
_SOFT = 0.75  # pixels over which a stroke's edge fades
_COVERED = 0.9  # a stroke's opacity at first
_FITTING = 40  # steps that fit the strokes to an initial picture


class LinesDrawer(Drawer):
    """Draws N strokes over each other: ``latent`` is ``(1, N, 11)``: three points (x, y in [-1, 1] of
    the shorter side) of a quadratic curve, its width (a part of the widest), colour and opacity, each
    in [0, 1]."""

    def __init__(self, settings: Lines, *, width: int, height: int, device: torch.device) -> None:
        self.settings, self.width, self.height = settings, width, height
        self._unit = min(width, height) / 2  # pixels
        self._reach = torch.tensor([width, height], device=device) / (2 * self._unit)
        down, across = torch.arange(height, device=device), torch.arange(width, device=device)
        y, x = torch.meshgrid(down + 0.5, across + 0.5, indexing="ij")
        middle = torch.tensor([width / 2, height / 2], device=device)
        self._pixels = torch.stack([x.flatten(), y.flatten()], -1) - middle  # (H W, 2)
        self.latent = torch.zeros(1, settings.count, 11, device=device).requires_grad_()

    @torch.no_grad()
    def start_random(self, generator: torch.Generator) -> None:
        """Initialise with short strokes of random places and colours."""
        count, device = self.settings.count, generator.device
        drawn = torch.rand(count, 8, generator=generator, device=device)
        self._lay(
            centres=(drawn[:, :2] * 2 - 1) * self._reach,
            turns=drawn[:, 2] * math.pi,
            lengths=0.2 + 0.3 * drawn[:, 3],
            colours=drawn[:, 4:7],
        )

    def start_from(self, picture: torch.Tensor) -> None:
        """Initialise with strokes that are fitted to a picture ``(1, 3, H, W)`` in a few steps."""
        picture = picture.to(self.latent.device)
        self._cover(picture)
        optimizer = torch.optim.Adam([self.latent], lr=0.03)
        with torch.enable_grad():
            for _ in range(_FITTING):
                optimizer.zero_grad()
                (self.draw() - picture).square().mean().backward()
                optimizer.step()
                self.project()
        self.latent.grad = None

    def draw(self, latent: torch.Tensor | None = None) -> torch.Tensor:
        """The picture ``(1, 3, H, W)`` in [0, 1]: the last stroke lies on top."""
        strokes = (self.latent if latent is None else latent)[0].float()
        points = rearrange(strokes[:, :6], "n (p xy) -> n p xy", p=3) * self._unit
        half = (0.5 + strokes[:, 6] * self.settings.widest * 2 * self._unit) / 2
        with torch.autocast(self.latent.device.type, enabled=False):
            distance = self._distances(points)  # (N, H W)
            cover = torch.sigmoid((half[:, None] - distance) / (_SOFT / 2)) * strokes[:, 10:]
            # A stroke is visible where those above it leave it uncovered.
            open_ = torch.cumprod((1 - cover).flip(0).clamp(min=1e-4), 0).flip(0)
            above = torch.cat([open_[1:], torch.ones_like(open_[:1])])
            drawn = strokes[:, 7:10].T @ (cover * above) + self.settings.paper * open_[:1]
        return rearrange(drawn, "c (h w) -> 1 c h w", h=self.height).clamp(0, 1)

    @torch.no_grad()
    def project(self) -> None:
        """Keep strokes on the canvas, and widths, colours and opacities in range."""
        points = self.latent[..., :6].view(1, -1, 3, 2)
        points.copy_(torch.minimum(torch.maximum(points, -1.1 * self._reach), 1.1 * self._reach))
        self.latent[..., 6:10].clamp_(0, 1)
        self.latent[..., 10].clamp_(0.1, 1)

    @torch.no_grad()
    def to_svg(self) -> str:
        """The picture as an SVG document: a quadratic curve for each stroke, on paper."""
        paper = hex_colour([self.settings.paper] * 3)
        shapes = [f'<rect width="{self.width}" height="{self.height}" fill="{paper}"/>']
        for stroke in self.latent[0].detach().float().cpu().tolist():
            points = [
                f"{stroke[2 * number] * self._unit + self.width / 2:.2f} "
                f"{stroke[2 * number + 1] * self._unit + self.height / 2:.2f}"
                for number in range(3)
            ]
            wide = 0.5 + stroke[6] * self.settings.widest * 2 * self._unit
            shapes.append(
                f'<path d="M{points[0]}Q{points[1]} {points[2]}" fill="none" stroke="{hex_colour(stroke[7:10])}" '
                f'stroke-width="{wide:.2f}" stroke-opacity="{stroke[10]:.3f}" stroke-linecap="round"/>'
            )
        return svg_document(shapes, width=self.width, height=self.height)

    def _distances(self, points: torch.Tensor) -> torch.Tensor:
        """The distance of each pixel to each curve ``(N, 3, 2)``, all in pixels, ``(N, H W)``."""
        at = torch.linspace(0, 1, _PLACES, device=points.device)
        weights = torch.stack([(1 - at) ** 2, 2 * at * (1 - at), at**2], -1)  # (places, 3)
        curve = torch.einsum("s p, n p d -> n s d", weights, points)
        with torch.no_grad():
            nearest = torch.cdist(self._pixels, curve.flatten(0, 1))  # (H W, N places)
            nearest = rearrange(nearest, "q (n s) -> n q s", s=_PLACES)
            place = nearest[..., :-1].add(nearest[..., 1:]).argmin(-1)  # of a segment between two points
        if merges(points):
            return self._distances_to_places(points, weights, place)
        count, wide = torch.arange(len(points), device=points.device)[:, None], len(self._pixels)
        start = torch.index_select(curve.flatten(0, 1), 0, (place + count * _PLACES).flatten())
        end = torch.index_select(curve.flatten(0, 1), 0, (place + 1 + count * _PLACES).flatten())
        start, along = start.view(-1, wide, 2), (end - start).view(-1, wide, 2)
        towards = self._pixels - start
        with torch.no_grad():
            length = along.square().sum(-1).clamp(min=1e-6)
            part = ((towards * along).sum(-1) / length).clamp(0, 1)[..., None]
        return ((towards - part * along).square().sum(-1) + 1e-4).sqrt()

    def _distances_to_places(
        self, points: torch.Tensor, weights: torch.Tensor, place: torch.Tensor
    ) -> torch.Tensor:
        """The same with the nearest place of each pixel as a weighted sum of the three points.

        On a GPU the gradient of a look-up is summed by atomic additions that wait for each other, in no fixed order;
        that of a product is not.

        Args:
            weights: of the three points at each place, ``(places, 3)``.
            place: the number of the nearest segment, ``(N, H W)``.
        """
        with torch.no_grad(), full_precision(points.device):
            first = weights.index_select(0, place.flatten()).view(*place.shape, 3)
            second = weights.index_select(0, place.flatten() + 1).view(*place.shape, 3)
            start, along = first @ points, (second - first) @ points
            length = along.square().sum(-1).clamp(min=1e-6)
            part = (((self._pixels - start) * along).sum(-1) / length).clamp(0, 1)
            shares = torch.lerp(first, second, part[..., None])  # (N, H W, 3)
        # Not a product of matrices, whose gradient would be in TF32.
        nearest = sum(shares[..., at, None] * points[:, at, None] for at in range(3))
        return ((self._pixels - nearest).square().sum(-1) + 1e-4).sqrt()

    @torch.no_grad()
    def _cover(self, picture: torch.Tensor) -> None:
        """Spread strokes evenly over the canvas, in the picture's colours, along its edges."""
        count, device = self.settings.count, picture.device
        number = torch.arange(count, device=device) + 0.5
        # The golden ratio's multiples fill evenly whatever the count (Roberts, 2018).
        spread = torch.stack([number * 0.7548776662 % 1, number * 0.5698402910 % 1], -1) * 2 - 1
        smooth = F.avg_pool2d(picture, 5, stride=1, padding=2, count_include_pad=False)
        grey = smooth.mean(1, keepdim=True)
        slopes = [F.pad(grey.diff(dim=-1), (0, 1)), F.pad(grey.diff(dim=-2), (0, 0, 0, 1))]
        looked_up = F.grid_sample(
            torch.cat([smooth, *slopes], 1),
            spread[None, None],
            align_corners=False,
            padding_mode="border",
        )[0, :, 0].T
        across = torch.atan2(looked_up[:, 3], -looked_up[:, 4])
        self._lay(
            centres=spread * self._reach,
            turns=across,
            lengths=torch.linspace(0.6, 0.25, count, device=device),
            colours=looked_up[:, :3],
        )

    def _lay(
        self,
        *,
        centres: torch.Tensor,
        turns: torch.Tensor,
        lengths: torch.Tensor,
        colours: torch.Tensor,
    ) -> None:
        """Set straight strokes: the first wide, the last narrow and on top."""
        half = torch.stack([turns.cos(), turns.sin()], -1) * lengths[:, None] / 2
        widths = torch.linspace(1, 0.3, len(centres), device=centres.device)[:, None]
        opacity = torch.full_like(widths, _COVERED)
        parts = [centres - half, centres, centres + half, widths, colours, opacity]
        self.latent.copy_(torch.cat(parts, -1)[None])
        self.project()
