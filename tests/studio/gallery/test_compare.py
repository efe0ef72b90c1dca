"""Two runs compared: the difference of their recipes in one line, and one sheet."""

import json

import pytest
from PIL import Image

from pixgen.cli.app import main
from pixgen.errors import StudioError
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.gallery.compare import differences, draw_pair, format_differences
from tests.studio.fakes import a_recipe


def painted(studio, recipe):
    job = studio.submit(recipe)
    assert job.wait(20)
    return job


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"seed": 8}, "seed 0 → 8"),
        ({"prompts": "an owl :2", "steps": 13}, "prompt a red fox → an owl :2 · steps 12 → 13"),
        (
            {"cutouts": {"count": 6}, "losses": {"palette": {"colours": "navy, white"}}},
            'cutouts.count 12 → 6 · losses.palette.colours [] → ["navy", "white"]',
        ),
        (
            {"changes": [{"step": 5, "prompts": "an owl", "learning_rate": 0.5}]},
            "changes none → an owl, rate 0.5 from step 5",
        ),
        (
            {"prompts": [[{"text": "a red fox", "first_step": 4}]]},
            'prompts [{"first_step": 0}] → [{"first_step": 4}]',
        ),
        ({}, "The recipes are the same."),
    ],
)
def test_the_difference_is_one_line(fields, line):
    other = make_recipe(a_recipe().model_dump(), fields)
    assert format_differences(differences(a_recipe(), other)) == line


def test_long_values_are_cut():
    line = format_differences(
        differences(a_recipe(), a_recipe(init={"kind": "picture", "picture": "x" * 900}))
    )
    assert len(line) < 200


def test_a_sheet_shows_both_pictures(studio):
    one, other = painted(studio, a_recipe()), painted(studio, a_recipe(seed=1, width=64))
    sheet = draw_pair(one.run, other.run)
    with Image.open(other.run.picture) as file:
        kept = file.convert("RGB")
    place = (24 + 64 + 12, 24)
    assert sheet.crop((*place, place[0] + 64, place[1] + 32)).tobytes() == kept.tobytes()


def test_a_run_without_a_picture_is_said(studio):
    one = painted(studio, a_recipe())
    one.run.picture.unlink()
    with pytest.raises(StudioError, match="no picture yet"):
        draw_pair(one.run, one.run)


def test_the_command_tells_and_draws(studio, tmp_path, capsys):
    one, other = painted(studio, a_recipe()), painted(studio, a_recipe(seed=1))
    folder = ["--output-dir", str(studio.folder)]
    assert main(["compare", one.id, str(other.run.folder), *folder]) == 0
    assert capsys.readouterr().out == "seed 0 → 1\n"
    out = tmp_path / "pair.png"
    assert main(["compare", one.id, other.id, *folder, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["differences"], told["runs"]) == ({"seed": ["0", "1"]}, [one.id, other.id])
    with Image.open(out) as sheet:
        assert sheet.width == 24 + 32 + 12 + 32 + 24
    assert main(["compare", one.id, other.id, *folder, "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["compare", one.id, "20260101-000000-abcdef", *folder]) == 2
    assert "There is no run" in capsys.readouterr().err
