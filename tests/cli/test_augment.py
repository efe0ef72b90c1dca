"""``pixgen augment`` and ``generate --augment``."""

import json

import pytest
from PIL import Image

from pixgen.cli.app import main
from pixgen.paths import ASSETS
from pixgen.recipe.options import Options, recipe_from

FOX = str(ASSETS / "examples/fox.png")


@pytest.mark.parametrize("engine", ["fused", "kornia"])
def test_a_sheet_of_cutouts_is_written(tmp_path, capsys, engine):
    out = tmp_path / "sheet.png"
    more = [
        "--augment",
        "RandomElasticTransform:p=1",
        "--engine",
        engine,
        "--count",
        "6",
        "--size",
        "32",
    ]
    assert main(["augment", FOX, "--set", "latest", "--out", str(out), "--json", *more]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"sheet": str(out), "cutouts": 6, "set": "latest", "engine": engine}
    with Image.open(out) as sheet:
        assert sheet.size == (3 * 36 - 4, 2 * 36 - 4)
        assert len(sheet.convert("L").getcolors()) > 20


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "newest"], "There is no cutout set “newest”: choose gentle, crowson"),
        (["--engine", "slow"], "There is no engine “slow”"),
        (["--augment", "RandomEqualize"], "its result has no gradient"),
    ],
)
def test_mistakes_are_said(tmp_path, capsys, options, said):
    assert main(["augment", FOX, "--out", str(tmp_path / "sheet.png"), *options]) == 2
    assert said in capsys.readouterr().err


def test_an_option_adds_augmentations_to_the_set():
    recipe = recipe_from(Options(prompt="a fox", augment=["RandomInvert:p=0.1", "RandomHue"]))
    assert [each.text for each in recipe.cutouts.own.augmentations[-2:]] == [
        "RandomInvert:p=0.1",
        "RandomHue",
    ]
    again = recipe_from(Options(recipe=recipe))
    assert again.cutouts == recipe.cutouts
