"""The quality benchmark: how often another CLIP finds the caption that a picture was painted for.

The evaluator guides none of the pictures, and no model was trained on the captions. ``Sheet`` draws the pictures:
a row for each caption, a column for each variant.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from PIL import Image, ImageDraw

from pixgen.models.clip.perceptor import Perceptor, load_clip
from pixgen.paths import ASSETS
from pixgen.recipe.cutouts import CUTOUT_SETS
from pixgen.recipe.presets import DEFAULT, load_preset
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.studio.fonts import TextRenderer
from pixgen.studio.grids.grid import INK, PAPER
from pixgen.studio.model_cache import ModelCache
from pixgen.studio.storage import atomic_write
from pixgen.studio.workers.local import paint
from pixgen.synthesis.tensors import to_tensor

MARGIN, CAPTION_WIDTH = 8, 190  # pixels: between pictures, and for the captions
TEXT_SIZE = 13


class Sheet:
    """Collects pictures of one size and draws them on one sheet.

    Args:
        rows: how many captions at most; later ones are left out.
    """

    def __init__(self, *, rows: int = 24) -> None:
        self.rows = rows
        self._pictures: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
        self._variants: list[str] = []

    def add(self, caption: str, variant: str, picture: np.ndarray) -> None:
        """Add a picture ``(H, W, 3)`` uint8; later ones of the same caption and variant are ignored."""
        if caption in self._pictures or len(self._pictures) < self.rows:
            self._pictures[caption].setdefault(variant, picture)
            if variant not in self._variants:
                self._variants.append(variant)

    def save(self, path: Path) -> None:
        """Write the sheet as a PNG. Raises StorageError."""
        height, width = next(iter(next(iter(self._pictures.values())).values())).shape[:2]
        lettering = TextRenderer(TEXT_SIZE)
        across = CAPTION_WIDTH + len(self._variants) * (width + MARGIN)
        down = 2 * TEXT_SIZE + MARGIN + len(self._pictures) * (height + MARGIN)
        sheet = Image.new("RGB", (across, down), PAPER)
        pen = ImageDraw.Draw(sheet)
        for column, variant in enumerate(self._variants):
            title = lettering.wrap(variant, width, most=2)
            place = (CAPTION_WIDTH + column * (width + MARGIN), 0)
            lettering.draw_lines(pen, place, title, INK, line=TEXT_SIZE + 1)
        for row, (caption, found) in enumerate(self._pictures.items()):
            top = 2 * TEXT_SIZE + MARGIN + row * (height + MARGIN)
            words = lettering.wrap(caption, CAPTION_WIDTH)
            lettering.draw_lines(pen, (0, top), words, INK, line=TEXT_SIZE + 4)
            for column, variant in enumerate(self._variants):
                if variant in found:
                    left = CAPTION_WIDTH + column * (width + MARGIN)
                    sheet.paste(Image.fromarray(found[variant]), (left, top))
        with atomic_write(path) as temporary:
            sheet.save(temporary, "PNG")


# A hundred captions of different meaning, none of whose combinations was trained on.
CAPTIONS = ASSETS / "pocket" / "held_out.json"
JUDGE = "pocket-judge"


@dataclass(frozen=True)
class Missed:
    """A picture whose caption did not rank first: 2 is the second place."""

    caption: str
    seed: int
    place: int


@dataclass(frozen=True)
class Quality:
    """Results of one variant: the share of pictures whose caption ranked first and in the first five, the mean
    seconds a picture took, and the pictures whose caption did not rank first."""

    name: str
    pictures: int
    first: float
    first_five: float
    seconds: float
    missed: tuple[Missed, ...] = ()

    def as_dict(self) -> dict:
        """The figures as plain values, for JSON."""
        return {
            "name": self.name,
            "pictures": self.pictures,
            "first": round(self.first, 4),
            "first_five": round(self.first_five, 4),
            "seconds": round(self.seconds, 2),
            "missed": [asdict(missed) for missed in self.missed],
        }


class Evaluator:
    """Ranks all captions for a picture, with a CLIP that guided none of it."""

    def __init__(self, perceptor: Perceptor, captions: Sequence[str]) -> None:
        self.perceptor, self.captions = perceptor, captions
        with torch.no_grad():
            self.texts = perceptor.embed_texts(captions)

    @torch.no_grad()
    def rank(self, picture: np.ndarray, right: int) -> int:
        """How many captions fit a picture ``(H, W, 3)`` better than the right one; 0 is best."""
        image = self.perceptor.embed_images(to_tensor(Image.fromarray(picture)))
        scores = (self.texts @ image[0]).cpu()
        return int((scores > scores[right]).sum())


Painter = Callable[[Recipe], np.ndarray]


def quality(
    variants: Sequence[dict],
    *,
    evaluator: Evaluator,
    paint: Painter,
    prompts: int = 50,
    seeds: int = 3,
    preset: str = DEFAULT,
    report: Callable[[Quality], None] = lambda variant: None,
    on_picture: Callable[[str, str, np.ndarray], None] = lambda caption, variant, picture: None,
) -> list[Quality]:
    """Paint the evaluator's first ``prompts`` captions with each seed, in each variant, and rank the captions.

    Args:
        variants: each a name under ``"name"`` and the fields of a recipe that make it, over the preset's.
        paint: from a recipe to the finished picture ``(H, W, 3)`` uint8.
        report: called with each variant's figures when they are there.
        on_picture: called with each caption, the variant's name and the picture.
    """
    results = []
    for variant in variants:
        fields = {key: value for key, value in variant.items() if key != "name"}
        ranks, seconds, missed = [], [], []
        for index, caption in enumerate(evaluator.captions[:prompts]):
            for seed in range(seeds):
                wanted = {"prompts": [[{"text": caption}]], "seed": seed}
                recipe = make_recipe(load_preset(preset).recipe, fields, wanted)
                begun = perf_counter()
                picture = paint(recipe)
                seconds.append(perf_counter() - begun)
                ranks.append(evaluator.rank(picture, index))
                if ranks[-1]:
                    missed.append(Missed(caption, seed, ranks[-1] + 1))
                on_picture(caption, variant["name"], picture)
        found = np.array(ranks)
        results.append(
            Quality(
                variant["name"],
                len(ranks),
                float((found < 1).mean()),
                float((found < 5).mean()),
                float(np.mean(seconds)),
                tuple(missed),
            )
        )
        report(results[-1])
    return results


def make_painter(device: str) -> Painter:
    """A function that paints a recipe and returns the picture; models are loaded once."""
    models = ModelCache(lambda: device)

    def painted(recipe: Recipe) -> np.ndarray:
        *_, frame = paint(recipe, {}, device, models)
        return frame.picture

    return painted


def standard_variants() -> list[dict]:
    """The variants: the preset; a random starting point, with and without optimization; one sketch, the best of eight
    by CLIP, and that optimized; and each named cutout set."""
    one, eight = ({"kind": "sketch", "sketch": {"candidates": count}} for count in (1, 8))
    far = {"steps": 150, "losses": {"start_pixels": 0}, "optimizer": {"learning_rate": 0.1}}
    sets = [{"name": f"cutouts {name}", "cutouts": {"kind": name}} for name in CUTOUT_SETS]
    return [
        {"name": "preset"},
        {"name": "random start", "init": {"kind": "codes"}, **far},
        {"name": "random start alone", "init": {"kind": "codes"}, "steps": 0},
        {"name": "sketch alone", "init": one, "steps": 0},
        {"name": "best of 8 sketches", "init": eight, "steps": 0},
        {"name": "best of 8 sketches, optimized", "init": eight},
        *sets,
    ]


def bundled_evaluator(device: str) -> Evaluator:
    """The bundled evaluator with the held-out captions. Raises ModelError."""
    return Evaluator(load_clip(JUDGE, device), json.loads(CAPTIONS.read_text("utf-8")))
