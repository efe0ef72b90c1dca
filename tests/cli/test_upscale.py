"""Finished pictures, enlarged: sizes, what the file still tells, and learned upscalers."""

import json
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file

import pixgen
from pixgen.cli.app import main
from pixgen.errors import ModelError, PictureError, RecipeError
from pixgen.models.upscalers import available_upscalers, load_upscaler
from pixgen.models.vqgan.vqgan import load_vqgan
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.metadata.picture_info import read_metadata, save_png
from pixgen.studio.upscaling import read_upscale_info
from pixgen.synthesis import upscale as by_tiles
from pixgen.synthesis.upscale import upscale

RECIPE = make_recipe({"prompts": "a red fox", "width": 40, "height": 32, "seed": 5})


@pytest.fixture
def fox(tmp_path):
    """A small painted picture."""
    pixels = np.full((32, 40, 3), 240, np.uint8)
    pixels[8:24, 10:30] = (200, 60, 20)
    save_png(pixels, tmp_path / "fox.png", RECIPE)
    return tmp_path / "fox.png"


@pytest.fixture
def learned(tmp_path, monkeypatch):
    """A tiny network that doubles, with random weights, where upscalers are looked for."""
    pytest.importorskip("spandrel")
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "models" / "upscalers"
    folder.mkdir(parents=True)
    torch.manual_seed(3)
    network = SRVGGNetCompact(num_feat=8, num_conv=2, upscale=2, act_type="prelu")
    save_file(network.state_dict(), folder / "tiny.safetensors")
    return folder


def test_the_command_keeps_the_recipe_and_notes_how(fox, tmp_path, capsys):
    big = tmp_path / "big.png"
    assert main(["upscale", str(fox), "--scale", "2.5", "--out", str(big), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["width"], said["height"], said["method"]) == (100, 80, "pocket")
    with Image.open(big) as larger:
        assert larger.size == (100, 80)
    assert read_metadata(big) == RECIPE
    how = read_upscale_info(big)
    assert (how.method, how.scale, how.width, how.height) == ("pocket", 2.5, 40, 32)
    assert main(["info", str(big)]) == 0
    assert "Enlarged 2.5 times by pocket, from 40×32" in capsys.readouterr().err
    assert main(["upscale", str(fox), "--out", str(big)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_any_picture_may_be_enlarged_and_tells_no_more_than_that(tmp_path):
    photo = Image.new("RGB", (20, 10), "navy")
    photo.save(tmp_path / "photo.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    larger = pixgen.upscale(tmp_path / "photo.jpg", scale=3, out=tmp_path / "big.png")
    assert larger.size == (60, 30)
    with Image.open(tmp_path / "big.png") as kept:
        texts = kept.info
    assert set(texts) == {"pixgen upscale", "Software"}
    assert read_upscale_info(tmp_path / "big.png").method == "crisp"  # a photograph is no drawing
    assert read_upscale_info(tmp_path / "photo.jpg") is None


@pytest.mark.parametrize(
    ("scale", "error"), [(1, RecipeError), (9, RecipeError), (float("nan"), RecipeError)]
)
def test_a_scale_that_is_not_allowed_is_told(fox, scale, error):
    with pytest.raises(error, match="above 1 and at most 8"):
        pixgen.upscale(fox, scale=scale)


def test_too_many_pixels_are_told(tmp_path):
    Image.new("L", (4000, 2000)).save(tmp_path / "large.png")
    with pytest.raises(PictureError, match="at most 24 megapixels are possible. Choose a smaller scale"):
        pixgen.upscale(tmp_path / "large.png", scale=2)


def test_a_learned_upscaler_is_found_by_its_files_name(fox, learned):
    assert available_upscalers() == ["pocket", "tiny"]
    assert pixgen.upscale(fox, scale=3, method="tiny").size == (
        120,
        96,
    )  # twice doubled, then reduced


def test_what_other_models_painted_is_no_drawing(fox, tmp_path):
    painted = make_recipe({"prompts": "a fox", "drawer": "pixels"})
    with Image.open(fox) as picture:
        save_png(np.asarray(picture.convert("RGB")), tmp_path / "pixels.png", painted)
    pixgen.upscale(tmp_path / "pixels.png", out=tmp_path / "big.png")
    assert read_upscale_info(tmp_path / "big.png").method == "crisp"


def test_the_bundled_one_draws_the_edges_of_what_was_decoded_anew():
    rows, columns = torch.meshgrid(*[torch.arange(256) + 0.5] * 2, indexing="ij")
    ink = (70 - torch.hypot(rows - 128, columns - 120)).clamp(0, 1)  # a disc
    light, dark = torch.tensor([[0.95, 0.95, 0.9], [0.8, 0.15, 0.15]])[:, :, None, None]
    drawing = (light * (1 - ink) + dark * ink)[None]
    vqgan = load_vqgan("pocket", "cpu")
    with torch.no_grad():
        small = vqgan.decode(vqgan.nearest(vqgan.encode(F.avg_pool2d(drawing, 2)))).clamp(0, 1)
    learned = upscale(small, width=256, height=256, upscaler=load_upscaler("pocket", "cpu"))
    crisp = upscale(small, width=256, height=256)
    between = [int(((each[0, 1] > 0.31) & (each[0, 1] < 0.79)).sum()) for each in (learned, crisp)]
    assert between[0] < 0.7 * between[1], between  # pixels on the edge, neither ground nor disc
    assert float((F.avg_pool2d(learned, 2) - small).abs().mean()) < 0.015  # the same picture


@pytest.mark.parametrize("name", ["tiny", "pocket"])
def test_tiles_leave_no_seam(learned, monkeypatch, name):
    upscaler = load_upscaler(name, "cpu")
    picture = torch.rand(1, 3, 50, 70, generator=torch.Generator().manual_seed(1))
    whole = upscale(picture, width=140, height=100, upscaler=upscaler)
    monkeypatch.setattr(by_tiles, "TILE", 24)
    pieces = upscale(picture, width=140, height=100, upscaler=upscaler)
    assert torch.allclose(whole, pieces, atol=1e-5)


def test_an_upscaler_that_is_not_there_is_told(fox, learned):
    with pytest.raises(ModelError, match="no upscaler “esrgan”: choose crisp, pocket, tiny"):
        pixgen.upscale(fox, method="esrgan")


def test_a_broken_file_is_told(fox, learned):
    (learned / "broken.safetensors").write_bytes(b"no weights")
    save_file({"a": torch.zeros(1)}, learned / "odd.safetensors")
    for name in ("broken", "odd"):
        with pytest.raises(ModelError, match=f"“{name}” cannot be read"):
            pixgen.upscale(fox, method=name)


def test_without_spandrel_it_is_said_what_to_do(fox, learned, monkeypatch):
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(ModelError, match="run pip install spandrel, or choose pocket or crisp"):
        pixgen.upscale(fox, method="tiny")


@pytest.mark.parametrize("method", ["crisp", "pocket"])
def test_what_is_transparent_stays_so(method, tmp_path):
    cut_out = np.zeros((32, 40, 4), np.uint8)  # what is transparent is black, as programs leave it
    cut_out[8:24, 10:30] = (200, 60, 20, 255)
    Image.fromarray(cut_out).save(tmp_path / "fox.png")
    larger = pixgen.upscale(tmp_path / "fox.png", method=method, out=tmp_path / "big.png")
    with Image.open(tmp_path / "big.png") as kept:
        assert kept.mode == larger.mode == "RGBA"
        found = np.asarray(kept).astype(int)
    assert found[2, 2, 3] == 0
    assert abs(found[32, 40] - (200, 60, 20, 255)).max() <= 12
    edge = (found[..., 3] > 64) & (found[..., 3] < 255)
    assert (found[edge][:, 0] > 150).all()  # no dark seam
