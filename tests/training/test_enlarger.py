"""The enlarger is trained on pairs: what the VQGAN decodes, and the drawing twice as large."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pixgen.models.checkpoints.safetensors import load_weights
from pixgen.models.upscalers import PocketUpscaler
from pixgen.training.compose.composer import Background, Composer, Composition, LargeComposer, Layer
from pixgen.training.compose.places import SETTINGS, SIZE
from pixgen.training.data import drawings
from pixgen.training.data.drawings import TABLE_FILE, Drawing, drawings_of, render_all
from pixgen.training.export import export_enlarger
from pixgen.training.models.enlarger import EnlargerTraining, decode_pairs, train_enlarger
from tests.training.conftest import COLOURS, FAMILIES

TRAINING = EnlargerTraining(pictures=8, batch=4, crisp_from=1)
EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>'


def disc(colour: tuple[int, int, int]) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
        f'<circle cx="4" cy="4" r="4" fill="rgb{colour}"/></svg>'
    )


@pytest.fixture
def drawn(world, monkeypatch):
    """The small world with drawings, one of which shows nothing."""
    found = [
        Drawing(family, thing, (), "emoji-4", 1.0, disc(colour))
        for family in FAMILIES
        for thing, colour in COLOURS.items()
    ]
    found.insert(2, Drawing("noto", "nothing", ("void",), "emoji-4", 1.0, EMPTY))
    monkeypatch.setattr(drawings, "load_drawings", lambda folder: found)
    assert render_all(world) == len(found) - 1
    return world


def test_each_row_of_the_table_has_its_drawing(drawn):
    table = json.loads((drawn / TABLE_FILE).read_text())
    assert [each.thing for each in drawings_of(drawn, table)] == [each["thing"] for each in table]


def test_a_large_composition_is_the_same_picture(drawn):
    ground = Background("plain", ("white",))
    composition = Composition(ground, (Layer(1, 0.4, 0.6, 0.7, angle=10),))
    small, large = (kind(drawn, seed=4).draw([composition]) for kind in (Composer, LargeComposer))
    assert large.shape == (1, 3, 256, 256)
    assert float((F.avg_pool2d(large, 2) - small).abs().mean()) < 0.01


@pytest.mark.parametrize("setting", ["hill", "city night"])
def test_settings_are_painted_in_full_size(drawn, setting):
    ground = Background("setting", (), setting, variant=0)
    large = LargeComposer(drawn).draw([Composition(ground, ())])
    row = list(SETTINGS).index(setting)
    painted = SETTINGS[setting][0](np.random.default_rng((row, 0))).clip(0, 1)
    halved = painted.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3)).transpose(2, 0, 1)
    assert float((F.avg_pool2d(large, 2)[0] - torch.from_numpy(halved)).abs().max()) < 1e-3


def test_enlarger_training_goes_on_where_it_stopped(drawn, tiny_vqgan):
    config = {"width": 4, "depth": 1}
    for steps in (1, 3):
        train_enlarger(config, drawn, drawn / "enlarger", replace(TRAINING, steps=steps), vqgan=tiny_vqgan)
    checkpoint = drawn / "enlarger" / "checkpoint.pt"
    assert torch.load(checkpoint, weights_only=True)["step"] == 3
    export_enlarger(checkpoint, drawn / "assets")
    model = PocketUpscaler(**json.loads((drawn / "assets" / "enlarger.json").read_text())["model"])
    load_weights(model, drawn / "assets" / "enlarger.safetensors")
    assert model(torch.rand(1, 3, 10, 12)).shape == (1, 3, 20, 24)


def test_what_is_given_is_decoded_and_what_is_wanted_drawn(drawn, tiny_vqgan):
    given, wanted = decode_pairs(tiny_vqgan, drawn, TRAINING)
    assert given.shape == (8, 3, 128, 128)
    assert wanted.shape == (8, 3, 256, 256)
    assert given.dtype == wanted.dtype == torch.uint8
