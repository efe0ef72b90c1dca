"""A published sketcher from the command line: fetched, listed, painted with, verified and removed."""

import json

import numpy as np
import pytest
from PIL import Image

from pixgen.cli.app import main
from pixgen.models import catalog
from pixgen.models.catalog import Entry
from pixgen.studio.metadata.picture_info import read_metadata
from tests.models import dalles, published


@pytest.fixture(autouse=True)
def tiny(caches, tmp_path, monkeypatch):
    """A small DALL·E mini and its VQGAN in the catalog, their files where a person puts them."""
    monkeypatch.setenv("PIXGEN_OUTPUT_DIR", str(tmp_path / "outputs"))
    lakes = Entry(
        name="lakes", kind="vqgan", paints="lakes", licence="MIT", model=published.config(), factor=4,
        codes=24, sources=("https://127.0.0.1:9/lakes.ckpt",), home="https://example.org",
    )  # fmt: skip
    table = (*catalog._table(), lakes, dalles.entry())
    monkeypatch.setattr("pixgen.models.catalog._table", lambda: table)
    models = caches / "models"
    dalles.write_min_dalle(models / "dalle-tiny")
    published.write(models / "lakes.ckpt", published.taming(published.config()).state_dict())


QUICK = [
    "--size",
    "32x32",
    "--steps",
    "1",
    "--seed",
    "3",
    "--device",
    "cpu",
    "--set",
    "cutouts.count=2",
]
QUICK += ["--set", "init.sketch.candidates=2", "--json"]


def told(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_it_is_fetched_verified_and_removed_by_its_name(capsys, tmp_path):
    assert main(["models", "fetch", "dalle-tiny", "--json"]) == 0
    assert told(capsys)[-1]["path"].endswith("dalle-tiny.safetensors")
    assert main(["models", "list", "--kind", "sketcher", "--json"]) == 0
    states = {each["name"]: each["state"] for each in told(capsys)[0]}
    assert states["pocket"] == "bundled"
    assert states["dalle-tiny"] == "here"
    assert states["dalle-mega"] == states["karlo"] == "to fetch"
    assert main(["models", "verify", "dalle-tiny", "--json"]) == 0
    assert len(told(capsys)[0]["sha256"]) == 64
    assert main(["models", "remove", "dalle-tiny", "--json"]) == 0
    assert told(capsys)[0]["freed_bytes"] > 100_000
    assert not (tmp_path / "cache/models/dalle-tiny.safetensors").exists()
    assert main(["models", "list", "--kind", "sketcher"]) == 0
    assert "--sketcher" in capsys.readouterr().out


@pytest.mark.parametrize("model", ["pocket", "lakes"])
def test_it_sketches_for_any_model(capsys, tmp_path, model):
    out = tmp_path / "fox.png"
    arguments = ["generate", "a red fox", "--init", "sketch", "--sketcher", "dalle-tiny", *QUICK]
    assert main([*arguments, "--model", model, "--out", str(out)]) == 0
    recipe = read_metadata(out)
    assert (recipe.init.sketch.model, recipe.model) == ("dalle-tiny", model)
    picture = np.array(Image.open(out))
    assert picture.shape == (32, 32, 3)
    assert picture.std() > 0
    again = tmp_path / "again.png"
    assert main(["generate", "--recipe", str(out), "--out", str(again), "--device", "cpu", "--json"]) == 0
    assert np.array_equal(np.array(Image.open(again)), picture)


def test_from_a_word_to_another_the_picture_changes(tmp_path):
    pictures = []
    for word in ("fox", "and"):
        out = tmp_path / f"{word}.png"
        arguments = [
            word,
            "--init",
            "sketch",
            "--sketcher",
            "dalle-tiny",
            "--model",
            "lakes",
            *QUICK,
        ]
        assert main(["generate", *arguments, "--steps", "0", "--out", str(out)]) == 0
        pictures.append(np.array(Image.open(out)))
    assert not np.array_equal(*pictures)
