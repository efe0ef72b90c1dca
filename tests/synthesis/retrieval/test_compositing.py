"""Things that are remembered are laid over what the sketcher writes; the rest of it stays."""

import pytest
import torch

from pixgen.models.sketchers.pocket import OPEN, Exemplars, Lexicon
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis.retrieval.compositing import Compositor, paper_mask, retrieve_scene, tint
from pixgen.synthesis.retrieval.layout import Thing

LEXICON = Lexicon(
    names={"fox": [0, 1]},
    weak=[],
    lettered=[],
    worn=[],
    colours={"red": [220, 20, 20], "white": [255, 255, 255]},
    small=["small"],
    large=["huge"],
    fillers=[],
    places={"left": ["on the left"]},
    hands={"black and white picture": "black and white", "silhouette": "silhouette", "sticker": "sticker"},
    grounds={"on a hill": "a hill", "at night": "a starry night"},
)


@pytest.fixture
def sketcher(tiny_sketcher):
    grid = tiny_sketcher.grid
    chance = torch.Generator().manual_seed(3)
    codes = torch.randint(32, (2, grid, grid), generator=chance)
    tiny_sketcher.exemplars = Exemplars(codes, torch.zeros_like(codes, dtype=torch.bool), LEXICON)
    return tiny_sketcher


@pytest.fixture
def recalled(sketcher, tiny_vqgan):
    def recall(prompt: str, seed: int = 1, **start):
        recipe = make_recipe({"prompts": prompt, "init": {"kind": "sketch"}}, {"init": start})
        return retrieve_scene(recipe, sketcher, tiny_vqgan, torch.Generator().manual_seed(seed))

    return recall


def test_a_text_without_known_things_is_sampled(recalled, tiny_sketcher):
    assert recalled("a fox") is not None
    assert recalled("a glacier") is None
    assert recalled("a glacier | a fox:-1") is None
    assert recalled("a fox", sketch={"memory": False}) is None
    tiny_sketcher.exemplars = None
    assert recalled("a fox") is None


def test_a_place_alone_is_retrieved_and_nothing_is_composited(recalled):
    memory = recalled("a gleaming hypercube on a hill")
    assert memory.scene.ground == "a hill"
    written = torch.arange(64).reshape(1, 8, 8) % 32
    everywhere = torch.ones(1, 8, 8, dtype=torch.bool)
    assert torch.equal(memory.things(written, everywhere), written)


def test_only_codes_under_the_thing_change(recalled):
    memory = recalled("a small fox on the left on a hill")
    assert memory.scene.ground == "a hill"
    before = torch.zeros(2, 8, 8, dtype=torch.long)
    after = memory.things(before, torch.ones(1, 8, 8, dtype=torch.bool))
    assert (after != before).any()
    assert (after[:, :, 5:] == 0).all()


def test_what_is_kept_stays(recalled):
    free = torch.zeros(1, 8, 8, dtype=torch.bool)
    free[:, 2:6, 2:6] = True
    before = torch.zeros(1, 8, 8, dtype=torch.long)
    after = recalled("a fox").things(before, free)
    assert (after != before).any()
    assert (after[~free] == 0).all()


def test_the_same_seed_draws_the_same(sketcher, tiny_vqgan):
    def drawn(seed: int) -> torch.Tensor:
        compositor = Compositor(sketcher.exemplars, tiny_vqgan, torch.Generator().manual_seed(seed))
        return compositor.composite(torch.ones(1, 3, 32, 32), [Thing((0, 1))], (0, 0, 32, 32))[0]

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_a_thing_can_be_placed_by_its_edge(sketcher, tiny_vqgan):
    def there(edge: str) -> torch.Tensor:
        compositor = Compositor(sketcher.exemplars, tiny_vqgan, torch.Generator().manual_seed(1))
        thing = Thing((0,), size=0.4, edge=edge)
        opacity = compositor.composite(torch.ones(1, 3, 64, 64), [thing], (0, 0, 64, 64))[1]
        return opacity[0, 0].amax(1) > 0.5  # of each row

    assert there("bottom")[:32].any()
    assert not there("bottom")[35:].any()
    assert there("top")[32:].any()
    assert not there("top")[:29].any()


def test_stickers_that_touch_have_one_rim_around_them(sketcher, tiny_vqgan):
    things = [Thing((0,), x=0.4, size=0.4), Thing((1,), x=0.6, size=0.4)]

    def drawn(style: str) -> torch.Tensor:
        chance = torch.Generator().manual_seed(1)
        compositor = Compositor(sketcher.exemplars, tiny_vqgan, chance, style)
        return compositor.composite(torch.zeros(1, 3, 64, 64), things, (0, 0, 64, 64))[0]

    plain, cut = drawn(""), drawn("sticker")
    assert torch.allclose(plain[..., 28:36, 24:40], cut[..., 28:36, 24:40], atol=1e-5)
    assert not torch.allclose(plain, cut, atol=0.1)


def test_a_plain_ground_needs_no_sketcher_and_a_setting_does(recalled):
    open_codes = torch.full((1, 8, 8), OPEN)
    assert (recalled("a fox on a red background").ground(open_codes) != OPEN).all()
    assert (recalled("a fox on a hill").ground(open_codes) == OPEN).all()


def test_a_light_thing_is_not_lost_on_its_ground(recalled):
    def paleness(prompt: str) -> float:
        return float(recalled(prompt)._fade(32, 32).amin(1).mean())

    assert paleness("a white fox") < paleness("a red fox") - 0.2


def test_a_thing_that_reaches_beyond_the_edge_is_cut(sketcher, tiny_vqgan):
    compositor = Compositor(sketcher.exemplars, tiny_vqgan, torch.Generator().manual_seed(0))
    white = torch.ones(1, 3, 32, 48)
    drawn, opacity = compositor.composite(white, [Thing((0,), x=1.0, y=0.0, size=2.0)], (0, 0, 48, 32))
    assert drawn.shape == (1, 3, 32, 48)
    assert torch.equal(drawn[(opacity == 0).expand_as(drawn)], white[(opacity == 0).expand_as(white)])
    beyond, nothing = compositor.composite(white, [Thing((0,), x=9.0, y=9.0)], (0, 0, 48, 32))
    assert float(nothing.max()) == 0
    assert torch.equal(beyond, white)


def test_a_style_changes_the_whole_picture(recalled):
    memory = recalled("a black and white picture of a small fox on the left")
    after = memory.things(torch.zeros(1, 8, 8, dtype=torch.long), torch.ones(1, 8, 8).bool())
    assert (after[:, :, 5:] != 0).any()


def test_night_changes_the_whole_place(recalled):
    before, everywhere = torch.zeros(1, 8, 8, dtype=torch.long), torch.ones(1, 8, 8).bool()
    day = recalled("a gleaming hypercube on a hill", sketch={"parser": 4})
    night = recalled("a gleaming hypercube on a hill at night", sketch={"parser": 4})
    assert (night.scene.ground, night.scene.light) == ("a hill", "night")
    assert torch.equal(day.things(before, everywhere), before)
    assert not torch.equal(night.things(before, everywhere), before)


def test_a_silhouette_is_black(recalled):
    assert {thing.colour for thing in recalled("a silhouette of a fox").scene.things} == {(0, 0, 0)}


def test_a_style_of_a_thing_leaves_the_background(recalled):
    before = torch.zeros(1, 8, 8, dtype=torch.long)
    everywhere = torch.ones(1, 8, 8, dtype=torch.bool)
    plain = recalled("a small fox on the left").things(before, everywhere)
    cut = recalled("a sticker of a small fox on the left").things(before, everywhere)
    assert not torch.equal(cut, plain)
    assert (cut[:, :, 6:] == 0).all()


def test_paper_is_pale_and_joined_to_the_edge():
    drawn = torch.ones(1, 3, 32, 32)
    drawn[..., 8:24, 8:24] = 0.2
    drawn[..., 12:20, 12:20] = 1.0  # within: no paper
    found = paper_mask(drawn)
    assert float(found[..., 0, 0]) == 1
    assert float(found[..., 16, 16]) == 0
    drawn[..., 8:24, 8:24] = 1.0  # a white thing
    solid = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    solid[..., 1:3, 1:3] = True
    assert float(paper_mask(drawn)[..., 16, 16]) == 1
    assert float(paper_mask(drawn, solid)[..., 16, 16]) == 0


def test_a_tint_keeps_light_and_dark():
    layer = torch.ones(4, 2, 2)
    layer[:3, 0] = 0.1
    shaded = tint(layer, torch.tensor([0.8, 0.1, 0.1]))
    assert (shaded[:3, 0] < shaded[:3, 1]).all()
    assert (shaded[0] > shaded[1]).all()
    assert torch.equal(shaded[3], layer[3])
