"""The sketches of a start, kept beside the picture."""

import numpy as np

from pixgen.recipe.recipe import make_recipe
from pixgen.studio.runs.record import read_sketches, save_sketches
from pixgen.synthesis.frames import Candidate

RECIPE = make_recipe({"prompts": "a fox", "width": 48, "height": 32})


def candidates(count: int) -> list[Candidate]:
    chance = np.random.default_rng(0)
    return [
        Candidate(chance.integers(0, 255, (32, 48, 3), dtype=np.uint8), similarity=0.1) for _ in range(count)
    ]


def test_a_strip_holds_every_pixel(tmp_path):
    saved = candidates(3)
    save_sketches(saved, tmp_path / "sketches.png")
    found = read_sketches(tmp_path / "sketches.png", RECIPE)
    assert len(found) == 3
    assert all(np.array_equal(a.picture, b) for a, b in zip(saved, found, strict=True))


def test_a_strip_that_is_missing_broken_or_of_another_size_is_none(tmp_path):
    path = tmp_path / "sketches.png"
    assert read_sketches(path, RECIPE) == []
    path.write_bytes(b"\x89PNG nonsense")
    assert read_sketches(path, RECIPE) == []
    save_sketches(candidates(2), path)
    assert read_sketches(path, RECIPE.model_copy(update={"width": 36})) == []
