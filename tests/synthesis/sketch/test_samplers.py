"""Starts by a sketcher that reads for itself: code after code, guided, picked, and put on any canvas."""

import numpy as np
import pytest
import torch

from pixgen.errors import RecipeError
from pixgen.models.sketchers.dalle import DalleBart
from pixgen.models.sketchers.dalle_files import BytePairs, fill_norms
from pixgen.models.sketchers.pocket import OPEN
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.init import Sketch
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.synthesis import Optimization, SketchModel, make_drawer
from pixgen.synthesis.drawers.base import VqganDrawer
from pixgen.synthesis.sketch.samplers import DalleSampler, SamplingSettings, sample_dalle
from tests.conftest import TINY_VQGAN
from tests.models import dalles

SURE = SamplingSettings(temperature=0, guidance=1, top_k=1)


@pytest.fixture
def model() -> DalleBart:
    """One with random weights, which writes the tiny VQGAN's first 24 codes, 4 by 4."""
    made = DalleBart(dalles.FORM, vqgan="lakes")
    weights = {
        f"{half}.{name}": part for half, found in dalles.halves().items() for name, part in found.items()
    }
    made.load_state_dict(fill_norms(weights))
    made.words = BytePairs(dalles.vocabulary(), dalles.MERGES)
    return made.eval().requires_grad_(False)


def written(model, text: str | None, *, settings: SamplingSettings = SURE, seed: int = 0, known=None) -> list:
    known = torch.full((2, 4, 4), OPEN) if known is None else known
    read = None if text is None else model.read([text])
    chance = torch.Generator().manual_seed(seed)
    return list(sample_dalle(model, read, known=known, settings=settings, generator=chance))


def test_rows_appear_one_after_the_other(model):
    stages = written(model, "a red fox")
    assert [int((stage == OPEN).sum()) for stage in stages] == [24, 16, 8, 0]
    assert torch.equal(stages[0][:, :1], stages[-1][:, :1])
    assert stages[-1].max() < 24  # the vocabulary has more tokens than the VQGAN has codes


@pytest.mark.parametrize("guidance", [1, 3.0])
@torch.no_grad()
def test_each_code_is_the_likeliest_after_those_before_it(model, guidance):
    codes = written(model, "a red fox", settings=SamplingSettings(temperature=0, guidance=guidance))[-1][
        0
    ].flatten()
    before = torch.cat([torch.tensor([35]), codes[:-1]])
    told, free = (
        dalles.logits(dalles.halves(), torch.tensor(model.words.encode(text, places=12)), before)
        for text in ("a red fox", "")
    )
    assert torch.equal((free + guidance * (told - free))[:, :24].argmax(-1), codes)


def test_the_same_seed_samples_the_same(model):
    settings = SamplingSettings(temperature=1.5, guidance=4.0)
    first = written(model, "a red fox", settings=settings)[-1]
    assert torch.equal(first, written(model, "a red fox", settings=settings)[-1])
    assert not torch.equal(first, written(model, "a red fox", settings=settings, seed=1)[-1])
    assert not torch.equal(first[0], first[1])
    one = written(model, "a red fox", settings=SamplingSettings(temperature=9, top_k=1, guidance=1))[-1]
    assert torch.equal(one, written(model, "a red fox")[-1])


def test_the_text_conditions_and_none_is_unconditional(model):
    told, other, none = (written(model, text)[-1] for text in ("a red fox", "and", None))
    assert not torch.equal(told, other)
    assert torch.equal(none, written(model, "")[-1])


def test_known_codes_stay(model):
    known = torch.full((2, 4, 4), OPEN)
    known[:, :, :2] = 7
    codes = written(model, "a red fox", known=known)[-1]
    assert (codes[:, :, :2] == 7).all()
    assert (codes != OPEN).all()


def test_it_has_its_own_usual_settings(model):
    sampler = DalleSampler(model)
    assert sampler.settings(Sketch(model="dalle-mini")) == SamplingSettings(1.0, 256, 10.0, 0.0)
    assert sampler.settings(Sketch(model="dalle-mini", top_k=9, guidance=2)) == SamplingSettings(
        1.0, 9, 2.0, 0.0
    )
    with pytest.raises(RecipeError, match="“dalle-mini” has no setting looks: remove init.sketch.looks"):
        sampler.settings(Sketch(model="dalle-mini", looks=1))


@pytest.fixture
def paint(model, tiny_vqgan, tiny_perceptor):
    torch.manual_seed(8)
    own = Vqgan(TINY_VQGAN)
    torch.nn.init.normal_(own.codebook)
    own = own.eval().requires_grad_(False)

    def start(recipe: Recipe, *, drawer=None, **options) -> Optimization:
        drawer = drawer or make_drawer(recipe, own, pictures=options.get("pictures") or {})
        return Optimization(recipe, drawer, tiny_perceptor, sketch_model=SketchModel(model, own), **options)

    return start


def recipe(**fields) -> Recipe:
    base = {"prompts": "a red fox | text :-0.5", "width": 16, "height": 16, "steps": 0, "seed": 3}
    start = {"kind": "sketch", "sketch": {"model": "dalle-mini", "candidates": 3}}
    return make_recipe(base, {"width": 32, "height": 32, "cutouts": {"count": 2}, "init": start}, fields)


def test_its_codes_are_seen_growing_and_the_best_is_the_start(paint):
    frames = list(paint(recipe(steps=2)))
    assert [frame.step for frame in frames] == [-4, -3, -2, -1, 0, 1, 2]
    first, last = frames[0], frames[4]
    assert (first.picture[12:] == first.picture[-1, -1]).all()  # paper
    liking = [candidate.similarity for candidate in last.candidates]
    assert len(liking) == 3
    assert liking == sorted(liking, reverse=True)


def test_another_vqgan_starts_from_the_sketch_as_a_picture(paint, tiny_vqgan):
    wanted = recipe(init={"sketch": {"pick": 1}})
    drawer = make_drawer(wanted, tiny_vqgan)
    frame = list(paint(wanted, drawer=drawer))[-1]
    sketched = torch.from_numpy(frame.candidates[1].picture.copy()).movedim(2, 0)[None] / 255
    expected = tiny_vqgan.encode(sketched)
    assert (drawer.latent - expected).abs().mean() < 0.05 * expected.abs().mean()


def test_its_own_vqgan_has_the_very_codes(model, tiny_vqgan, tiny_perceptor):
    sketch_model = SketchModel(model, tiny_vqgan)
    small = recipe()
    drawer = make_drawer(small, tiny_vqgan)
    assert drawer.latent.shape[2:] == (
        8,
        8,
    )  # of another size than the sketch: begun with as a picture
    frame = list(Optimization(small, drawer, tiny_perceptor, sketch_model=sketch_model))[-1]
    assert not np.array_equal(frame.picture, frame.candidates[0].picture)
    drawer = VqganDrawer(tiny_vqgan, width=16, height=16)
    same = small.model_copy(update={"width": 16, "height": 16})
    frame = list(Optimization(same, drawer, tiny_perceptor, sketch_model=sketch_model))[-1]
    assert np.array_equal(frame.picture, frame.candidates[0].picture)


def test_ideas_and_pictures_alone_are_refused(paint, red_picture):
    idea = make_recipe(recipe().model_dump(), {"init": {"kind": "idea", "idea": "a fox"}})
    with pytest.raises(RecipeError, match="“dalle-mini” reads text only, not pictures or ideas"):
        list(paint(idea))
    with pytest.raises(RecipeError, match="reads text"):
        list(paint(recipe(prompts="[red.png]"), pictures={"red.png": red_picture}))


def test_a_masked_part_is_sampled_around_the_kept_codes(paint, red_picture):
    wanted = make_recipe(
        recipe(width=64, steps=1).model_dump(),
        {"init": {"kind": "picture", "picture": "red.png", "extend": "right"}},
    )
    frames = list(paint(wanted, pictures={"red.png": red_picture}))
    assert frames[-1].candidates
    left = frames[-1].picture[:, :16].reshape(-1, 3).astype(int).mean(0)
    assert np.abs(left - (220, 30, 30)).max() < 4
