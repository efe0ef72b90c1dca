"""Stories in the loop."""

import numpy as np
import pytest
import torch

from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, SketchModel, make_drawer
from pixgen.synthesis.scenes import slerp, targets_at
from tests.synthesis.resuming import pictures, same, stopped_and_resumed


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor):
    def start(recipe):
        return Optimization(recipe, make_drawer(recipe, tiny_vqgan), tiny_perceptor)

    return start


def recipe(**fields):
    base = {
        "prompts": "a red fox | snow :0.5 ^ a snowy owl | night :-1 ^ the sea",
        "width": 32,
        "height": 32,
        "steps": 9,
        "seed": 3,
        "cutouts": {"count": 3},
        "optimizer": {"learning_rate": 0.6},
        "story": {"fade": 1, "easing": "linear"},
    }
    return make_recipe(base, fields)


def vectors(prompt):
    """A direction of its own for each prompt."""
    torch.manual_seed(sum(map(ord, prompt.label)))
    return torch.nn.functional.normalize(torch.randn(16), dim=0)


def test_a_turned_vector_goes_along_the_great_circle():
    one, other = torch.tensor([1.0, 0, 0]), torch.tensor([0, 1.0, 0])
    half = slerp(one, other, 1 / 3)
    assert half.norm() == pytest.approx(1)
    assert torch.rad2deg(torch.arccos(half @ one)) == pytest.approx(30, abs=0.01)
    assert torch.equal(slerp(one, one, 0.7), one)
    assert torch.equal(slerp(one, -one, 0.7), -one)


def test_embeddings_turn_into_their_successors_and_the_rest_comes_and_goes():
    prompts, found = targets_at(recipe(), 1, vectors)
    assert [prompt.label for prompt in prompts] == ["a red fox → a snowy owl", "snow", "night"]
    assert [prompt.weight for prompt in prompts] == pytest.approx([1, 0.5 * 2 / 3, -1 / 3])
    assert found[0].norm() == pytest.approx(1)
    assert float(found[0] @ vectors(recipe().prompts[0][0])) > float(
        found[0] @ vectors(recipe().prompts[1][0])
    )


def test_weights_pass_from_one_scene_to_the_next():
    prompts, _ = targets_at(recipe(story={"blend": "weights"}), 1, vectors)
    assert [prompt.label for prompt in prompts] == ["a red fox", "a snowy owl", "snow", "night"]
    assert [prompt.weight for prompt in prompts] == pytest.approx([2 / 3, 1 / 3, 1 / 3, -1 / 3])


def test_at_a_scenes_step_only_its_prompts_pull():
    for step, scene in ((0, 0), (3, 1), (6, 2), (9, 2)):
        assert targets_at(recipe(), step, vectors)[0] == recipe().prompts[scene]


@pytest.mark.parametrize("blend", ["embeddings", "weights"])
def test_a_story_is_painted_again_and_goes_on_exactly(paint, blend):
    wanted = recipe(story={"blend": blend})
    whole = pictures(paint(wanted))
    assert len(whole) == 10
    assert same(whole, stopped_and_resumed(lambda: paint(wanted), after=5))


def test_a_fade_paints_other_pictures_than_a_cut(paint):
    faded, cut = (list(paint(recipe(story={"fade": fade})))[-1].picture for fade in (1, 0))
    assert not np.array_equal(faded, cut)


@pytest.fixture
def sketched(tiny_vqgan, tiny_perceptor, tiny_sketcher):
    """Paints stories whose scenes have sketches of their own."""
    sketch_model = SketchModel(tiny_sketcher, tiny_vqgan, tiny_perceptor)

    def start(recipe):
        drawer = make_drawer(recipe, tiny_vqgan)
        return Optimization(recipe, drawer, tiny_perceptor, sketch_model=sketch_model)

    return start


def test_scenes_with_sketches_arrive_at_them_and_go_on_exactly(sketched):
    wanted = recipe(
        story={"sketch": True},
        init={"kind": "sketch", "sketch": {"candidates": 2}},
        optimizer={"learning_rate": 1e-6},
    )
    whole = {frame.step: frame.picture for frame in sketched(wanted)}
    second = wanted.model_copy(update={"prompts": wanted.prompts[1:2], "steps": 0})
    alone = list(sketched(second))[-1].picture
    assert np.array_equal(whole[3], alone)  # where the second scene begins, its sketch is there
    assert not np.array_equal(whole[2], whole[3])
    assert np.array_equal(whole[6], whole[9])  # the last scene stays
    first = sketched(wanted)
    begun = {}
    while 2 not in begun:
        frame = next(first)
        begun[frame.step] = frame.picture
    again = sketched(wanted)
    again.restore(first.state())
    rest = {frame.step: frame.picture for frame in again}
    assert all(np.array_equal(whole[step], picture) for step, picture in (begun | rest).items())
