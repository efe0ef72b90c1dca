"""The measure of quality: what is right counts, what is wrong does not."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.bench.quality import Evaluator, Missed, Sheet, quality, standard_variants
from pixgen.recipe.recipe import Recipe

CAPTIONS = ["red", "green", "blue"]


class ColourPerceptor:
    """Texts and pictures as their mean colour."""

    def embed_texts(self, texts: list[str]) -> torch.Tensor:
        return torch.eye(3)[[CAPTIONS.index(text) for text in texts]]

    def embed_images(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(pictures.mean((2, 3)), dim=-1)


@pytest.fixture
def evaluator() -> Evaluator:
    return Evaluator(ColourPerceptor(), CAPTIONS)


def flat(*rgb: int) -> np.ndarray:
    return np.broadcast_to(np.array(rgb, np.uint8), (8, 8, 3)).copy()


def obedient(recipe: Recipe) -> np.ndarray:
    rgb = [0, 0, 0]
    rgb[CAPTIONS.index(recipe.prompt)] = 255
    return flat(*rgb)


def test_the_place_counts_what_fits_better(evaluator):
    picture = flat(200, 100, 50)
    assert [evaluator.rank(picture, right) for right in range(3)] == [0, 1, 2]


def test_obedient_pictures_are_all_found(evaluator):
    (way,) = quality([{"name": "all"}], evaluator=evaluator, paint=obedient, prompts=3, seeds=2)
    assert (way.pictures, way.first, way.missed) == (6, 1.0, ())


def test_a_painter_that_always_paints_red_is_found_one_time_in_three(evaluator):
    (way,) = quality(
        [{"name": "red"}], evaluator=evaluator, paint=lambda recipe: flat(255, 0, 0), prompts=3, seeds=1
    )
    assert way.first == pytest.approx(1 / 3)
    assert way.first_five == 1.0
    assert way.missed == (Missed("green", 0, 2), Missed("blue", 0, 2))


def test_every_way_is_painted_with_its_fields_and_every_seed(evaluator):
    seen = []

    def paint(recipe: Recipe) -> np.ndarray:
        seen.append((recipe.steps, recipe.seed))
        return obedient(recipe)

    quality([{"name": "short", "steps": 3}], evaluator=evaluator, paint=paint, prompts=1, seeds=2)
    assert seen == [(3, 0), (3, 1)]


def test_the_standard_ways_name_the_start_and_every_set():
    names = [way["name"] for way in standard_variants()]
    assert {
        "preset",
        "random start alone",
        "sketch alone",
        "best of 8 sketches",
        "cutouts gentle",
        "cutouts crowson",
    } <= set(names)


def test_a_sheet_has_a_row_a_caption_and_a_column_a_way(tmp_path):
    sheet = Sheet(rows=2)
    for caption in ("a fox", "a hen", "one too many"):
        for shade, way in ((50, "chance"), (200, "sketch")):
            sheet.add(caption, way, np.full((32, 48, 3), shade, np.uint8))
    sheet.add("a fox", "chance", np.zeros((32, 48, 3), np.uint8))  # a second seed
    sheet.save(tmp_path / "sheet.png")
    shown = np.array(Image.open(tmp_path / "sheet.png"))
    assert (shown == 50).all(-1).sum() == (shown == 200).all(-1).sum() == 2 * 32 * 48
