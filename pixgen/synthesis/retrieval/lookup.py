"""Look up the things of a recipe's text, and composite them over the background that is sampled."""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from einops import rearrange

from pixgen.models.sketchers.pocket import Sketcher
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.retrieval.compositing import Compositor
from pixgen.synthesis.retrieval.parse_scene import ParsedScene, parse_scene
from pixgen.synthesis.retrieval.style_filter import OBJECT_STYLES, SILHOUETTE, apply_style
from pixgen.synthesis.sketch.sampling import OPEN

TOUCHED_OPACITY = 0.04  # opacity of a thing from which on a code is encoded again
# How pale a background is whose colour the text does not say, at its top and bottom (1 is white); and behind
# things so light that they would not stand out.
PALE, DEEPER = (0.72, 1.0), (0.25, 0.55)
LIGHT, DARK = 190, 128  # a thing's lowest channel is above the one, such a ground's below the other


class RetrievedScene:
    """The things and the background of a sketch that are retrieved instead of sampled.

    Args:
        shown: what is drawn.
        sketcher: has exemplars, in the codes of ``vqgan``.
        generator: of every random number.
    """

    def __init__(
        self, shown: ParsedScene, sketcher: Sketcher, vqgan: Vqgan, generator: torch.Generator
    ) -> None:
        self.scene, self._vqgan, self._generator = shown, vqgan, generator
        exemplars = sketcher.exemplars
        assert exemplars is not None, "things are found by a sketcher's exemplars"
        self._colours = list(exemplars.lexicon.colours.values())
        if shown.style == SILHOUETTE:
            black = tuple(replace(thing, colour=(0, 0, 0)) for thing in shown.things)
            self.scene = replace(shown, things=black)
        self._compositor = Compositor(exemplars, vqgan, generator, shown.style)

    def ground(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes ``(N, rows, columns)`` with a plain ground, or a fade of two colours, where nothing is
        written and the words leave nothing for the sketcher."""
        if self.scene.ground or not bool((codes == OPEN).all()):
            return codes
        rows, columns = (side * self._vqgan.factor for side in codes.shape[1:])
        grounds = torch.cat([self._fade(rows, columns) for _ in codes])
        return self._vqgan.codes(self._vqgan.encode(grounds))

    def things(self, codes: torch.Tensor, free: torch.Tensor) -> torch.Tensor:
        """Composite all things over sampled codes.

        Args:
            codes: ``(N, rows, columns)``.
            free: where they may be written anew, ``(1, rows, columns)``.
        """
        if not self.scene.things and not self._changes_whole_picture:
            return codes
        vqgan, box = self._vqgan, self._box(free[0])
        drawn = vqgan.decode(vqgan.lookup(codes)).float().clamp(0, 1)
        layers = [self._compositor.composite(each[None], self.scene.things, box) for each in drawn]
        pictures, opacity = (torch.cat(parts) for parts in zip(*layers, strict=True))
        touched = F.max_pool2d(opacity, vqgan.factor)[:, 0] > TOUCHED_OPACITY
        if self._changes_whole_picture:
            pictures = torch.cat([self._apply_style(each[None]) for each in pictures]).clamp(0, 1)
            touched = torch.ones_like(touched)
        return torch.where(touched & free, vqgan.codes(vqgan.encode(pictures)), codes)

    @property
    def _changes_whole_picture(self) -> bool:
        """Whether a style changes the whole picture."""
        return self.scene.style not in ("", *OBJECT_STYLES)

    def _apply_style(self, picture: torch.Tensor) -> torch.Tensor:
        device = self._generator.device
        noise = torch.rand(1, 1, 8, 8, generator=self._generator, device=device)
        # Pixels as large as a code is wide: the VQGAN cannot draw smaller ones.
        return apply_style(self.scene.style, picture, noise=noise, fine=False)

    def _box(self, free: torch.Tensor) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the free codes, in pixels."""
        rows, columns = (free.any(axis).nonzero()[:, 0] for axis in (1, 0))
        if not len(rows):
            return 0, 0, free.shape[1] * self._vqgan.factor, free.shape[0] * self._vqgan.factor
        edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        return tuple(int(edge) * self._vqgan.factor for edge in edges)

    def _fade(self, rows: int, columns: int) -> torch.Tensor:
        """A background ``(1, 3, rows, columns)``: in the colours of the text, or a random pale one."""
        device = self._generator.device
        ends: list[Sequence[int]]
        if said := self.scene.colours:
            ends, paler = [said[0], said[-1]], (0.0, 0.0)
        else:
            light = any(thing.colour and min(thing.colour) > LIGHT for thing in self.scene.things)
            colours = [each for each in self._colours if not light or min(each) < DARK]
            picked = torch.randint(len(colours), (), generator=self._generator, device=device)
            ends, paler = [colours[int(picked)]] * 2, DEEPER if light else PALE
        fade = torch.tensor(ends, device=device, dtype=torch.float32)[:, :, None, None] / 255
        fade = fade + (1 - fade) * torch.tensor(paler, device=device)[:, None, None, None]
        part = torch.linspace(0, 1, rows, device=device)[:, None].expand(rows, columns)
        return rearrange(fade[0] + (fade[1] - fade[0]) * part, "c h w -> 1 c h w")


def retrieve_scene(
    recipe: Recipe, sketcher: Sketcher, vqgan: Vqgan, generator: torch.Generator
) -> RetrievedScene | None:
    """The part of a recipe's text that a sketcher can retrieve, or None: things that it has exemplars of, or
    only a place, which it samples better without words that it has never seen."""
    exemplars, start = sketcher.exemplars, recipe.init
    if exemplars is None or not start.sketch.memory or start.kind == "idea" or start.extend:
        return None
    shown = parse_scene(", ".join(recipe.positive_texts), exemplars.lexicon)
    if not (shown.things or shown.ground):
        return None
    return RetrievedScene(shown, sketcher, vqgan, generator)
