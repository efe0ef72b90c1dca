"""Paints the README's pictures, one sheet of prompts and one strip of a picture as it grows, and the page's wall.

Every picture is the default preset, with a seed that is written down here.
"""

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parent.parent))  # run from a clone, not installed

from pixgen.models.upscalers import BUNDLED, load_upscaler
from pixgen.recipe.options import Options, recipe_from
from pixgen.recipe.recipe import Recipe
from pixgen.studio.model_cache import ModelCache
from pixgen.studio.workers.local import paint
from pixgen.synthesis.tensors import to_pixels, to_tensor
from pixgen.synthesis.upscale import upscale

FOLDER = Path(__file__).parent.parent / "assets" / "gallery"
PROMPTS = (
    ("a red fox on a snowy hill", 7), ("a sailboat on the sea", 7), ("a house at night", 7),
    ("an owl in the forest", 7), ("a castle in the mountains", 7), ("a monkey riding a bicycle", 7),
    ("a hot air balloon over the mountains", 7), ("an island in the ocean", 7),
    ("a lion wearing a crown", 7), ("a blueprint of a rocket", 7), ("a panda eating a watermelon", 7),
    ("a campfire in the forest at night", 7),
)  # fmt: skip
WALL, WALL_SIDE = FOLDER.parent / "wall", 144  # pixels
COLUMNS, SIDE, GAP, LETTERS = 4, 256, 12, 16  # pixels
INK = (40, 40, 46)
STRIP_PROMPT, STRIP_STAGES = 0, 8


def main() -> None:
    """Paint and write all."""
    models = ModelCache(lambda: "cpu")
    FOLDER.mkdir(parents=True, exist_ok=True)
    pictures, strip = [], []
    for index, (prompt, seed) in enumerate(PROMPTS):
        stages = painted(recipe_from(Options(prompt=prompt, seed=seed)), models)
        pictures.append(stages[-1])
        if index == STRIP_PROMPT:
            strip = evenly(stages)
        print(f"{prompt}, seed {seed}")
    labels = [f"{prompt}, seed\N{NO-BREAK SPACE}{seed}" for prompt, seed in PROMPTS]
    sheet(pictures, labels, columns=COLUMNS).save(FOLDER / "prompts.png", optimize=True)
    for (prompt, _), picture in zip(PROMPTS, pictures, strict=True):
        small = Image.fromarray(picture).resize((WALL_SIDE, WALL_SIDE), Image.Resampling.LANCZOS)
        small.save(WALL / f"{prompt.replace(' ', '-')}.webp", quality=82, method=6)
    sheet(strip, [], columns=STRIP_STAGES, side=128).save(FOLDER / "progress.png", optimize=True)


def painted(recipe: Recipe, models: ModelCache) -> list[np.ndarray]:
    """Every stage of a picture, ``(H, W, 3)`` uint8."""
    return [frame.picture for frame in paint(recipe, {}, "cpu", models)]


def evenly(stages: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Stages as far apart as they look: the first, the last, and those between by how much changed."""
    steps = [
        np.abs(after.astype(int) - before).mean() ** 0.5
        for before, after in zip(stages, stages[1:], strict=False)
    ]
    way = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0, way[-1], STRIP_STAGES)
    return [stages[int(np.abs(way - place).argmin())] for place in wanted]


def sheet(
    pictures: Sequence[np.ndarray], labels: Sequence[str], *, columns: int, side: int = SIDE
) -> Image.Image:
    """Pictures in rows, enlarged as ``pixgen upscale`` does, each with its label below."""
    upscaler = load_upscaler(BUNDLED, "cpu")
    font = ImageFont.load_default(LETTERS)
    words = 2 * (LETTERS + 4) if labels else 0
    rows = -(-len(pictures) // columns)
    down = side + words + (GAP if labels else 0)
    whole = Image.new("RGB", (columns * (side + GAP) - GAP, rows * down), "white")
    pen = ImageDraw.Draw(whole)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        x, y = column * (side + GAP), row * down
        scaled = upscale(to_tensor(Image.fromarray(picture)), width=side, height=side, upscaler=upscaler)
        whole.paste(Image.fromarray(to_pixels(scaled[0])), (x, y))
        if labels:
            text = "\n".join(textwrap.wrap(labels[index], side // 8))
            text = text.replace("\N{NO-BREAK SPACE}", " ")  # the font has none
            pen.multiline_text((x, y + side + 4), text, INK, font, spacing=3)
    return whole


if __name__ == "__main__":
    main()
