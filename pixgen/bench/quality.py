"""A sheet of pictures: a row a caption, a column a way to paint."""

# MERGED pixgen.bench.quality: How often an independent judge finds the right caption for what was painted.
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from pixgen.studio.grids.sheet import INK, PAPER
from pixgen.studio.model_cache import ModelCache
from pixgen.studio.storage import writing
from pixgen.studio.worker import paint
from pixgen.synthesis.init.noise import to_tensor

MARGIN, WORDS = 8, 190  # pixels: between pictures, and for the captions
LETTERS = 13


class Sheet:
    """Collects pictures of one size and writes them as one.

    Args:
        rows: how many captions at most; later ones are left out.
    """

    def __init__(self, *, rows: int = 24) -> None:
        self.rows = rows
        self._pictures: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
        self._ways: list[str] = []

    def add(self, caption: str, way: str, picture: np.ndarray) -> None:
        """A picture ``(H, W, 3)`` uint8; the first of a caption and a way counts."""
        if caption in self._pictures or len(self._pictures) < self.rows:
            self._pictures[caption].setdefault(way, picture)
            if way not in self._ways:
                self._ways.append(way)

    def save(self, path: Path) -> None:
        """Write the sheet as a PNG. Raises StorageError."""
        height, width = next(iter(next(iter(self._pictures.values())).values())).shape[:2]
        lettering = TextRenderer(LETTERS)
        across = WORDS + len(self._ways) * (width + MARGIN)
        down = 2 * LETTERS + MARGIN + len(self._pictures) * (height + MARGIN)
        sheet = Image.new("RGB", (across, down), PAPER)
        pen = ImageDraw.Draw(sheet)
        for column, way in enumerate(self._ways):
            title = lettering.wrap(way, width, most=2)
            place = (WORDS + column * (width + MARGIN), 0)
            lettering.draw_lines(pen, place, title, INK, line=LETTERS + 1)
        for row, (caption, found) in enumerate(self._pictures.items()):
            top = 2 * LETTERS + MARGIN + row * (height + MARGIN)
            words = lettering.wrap(caption, WORDS)
            lettering.draw_lines(pen, (0, top), words, INK, line=LETTERS + 4)
            for column, way in enumerate(self._ways):
                if way in found:
                    left = WORDS + column * (width + MARGIN)
                    sheet.paste(Image.fromarray(found[way]), (left, top))
        with writing(path) as temporary:
            sheet.save(temporary, "PNG")


# A hundred captions of different meaning, none of whose combinations was trained on.
CAPTIONS = ASSETS / "pocket" / "held_out.json"
JUDGE = "pocket-judge"


@dataclass(frozen=True)
class Quality:
    """Of one way to paint: the share whose caption was found first, in the first five, and the mean
    seconds a picture."""

    name: str
    pictures: int
    first: float
    first_five: float
    seconds: float

    def as_dict(self) -> dict:
        """For ``--json``."""
        return {
            "name": self.name,
            "pictures": self.pictures,
            "first": round(self.first, 4),
            "first_five": round(self.first_five, 4),
            "seconds": round(self.seconds, 2),
        }


class Evaluator:
    """Ranks all captions for a picture, with a CLIP that guided none of it."""

    def __init__(self, perceptor: Perceptor, captions: Sequence[str]) -> None:
        self.perceptor, self.captions = perceptor, captions
        with torch.no_grad():
            self.texts = perceptor.embed_texts(captions)

    @torch.no_grad()
    def place(self, picture: np.ndarray, right: int) -> int:
        """How many captions fit a picture ``(H, W, 3)`` better than the right one; 0 is best."""
        image = self.perceptor.embed_images(to_tensor(Image.fromarray(picture)))
        scores = (self.texts @ image[0]).cpu()
        return int((scores > scores[right]).sum())


Painter = Callable[[Recipe], np.ndarray]


def quality(
    ways: Sequence[dict],
    *,
    judge: Evaluator,
    paint: Painter,
    prompts: int = 50,
    seeds: int = 3,
    preset: str = DEFAULT,
    told: Callable[[Quality], None] = lambda way: None,
    seen: Callable[[str, str, np.ndarray], None] = lambda caption, way, picture: None,
) -> list[Quality]:
    """Paint the judge's first ``prompts`` captions with each seed, in each way.

    Args:
        ways: each a name under ``"name"`` and the fields of a recipe that make it, over the preset's.
        paint: from a recipe to the finished picture ``(H, W, 3)`` uint8.
        told: called with each way's figures when they are there.
        seen: called with each caption, way and picture.
    """
    results = []
    for way in ways:
        fields = {key: value for key, value in way.items() if key != "name"}
        places, seconds = [], []
        for index, caption in enumerate(judge.captions[:prompts]):
            for seed in range(seeds):
                wanted = {"prompts": [[{"text": caption}]], "seed": seed}
                recipe = make_recipe(load_preset(preset).recipe, fields, wanted)
                begun = perf_counter()
                picture = paint(recipe)
                seconds.append(perf_counter() - begun)
                places.append(judge.place(picture, index))
                seen(caption, way["name"], picture)
        found = np.array(places)
        results.append(
            Quality(
                way["name"],
                len(places),
                float((found < 1).mean()),
                float((found < 5).mean()),
                float(np.mean(seconds)),
            )
        )
        told(results[-1])
    return results


def painter(device: str) -> Painter:
    """Paints recipes one after the other, loading each model once."""
    models = ModelCache(lambda: device)

    def painted(recipe: Recipe) -> np.ndarray:
        *_, frame = paint(recipe, {}, device, models)
        return frame.picture

    return painted


def standard_ways() -> list[dict]:
    """The preset as it is; chance, optimized as far as chance needs it; what the sketcher writes at once, the best of eight by
    CLIP, and that optimized; and each named set of cutouts."""
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
    """The pocket judge over the held-out captions. Raises ModelError."""
    return Evaluator(load_clip(JUDGE, device), json.loads(CAPTIONS.read_text("utf-8")))
