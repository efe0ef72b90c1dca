"""The loop: deterministic, resumable, changeable, and going downhill."""

import numpy as np
import pytest
import torch

from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.synthesis import Optimization, make_drawer
from tests.synthesis.resuming import pictures, same, stopped_and_resumed


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor):
    def start(recipe: Recipe, **options) -> Optimization:
        return Optimization(recipe, make_drawer(recipe, tiny_vqgan), tiny_perceptor, **options)

    return start


def recipe(**fields) -> Recipe:
    base = {"prompts": "a red fox | snow :0.5", "width": 32, "height": 32, "steps": 6, "seed": 3}
    # A rate at which random codes change within a few steps.
    common = {"cutouts": {"count": 3}, "optimizer": {"learning_rate": 0.6}}
    return make_recipe(base, common, fields)


def test_yields_the_start_and_every_step(paint):
    frames = list(paint(recipe()))
    assert [frame.step for frame in frames] == list(range(7))
    assert frames[-1].picture.shape == (32, 32, 3)
    assert frames[-1].picture.dtype == np.uint8


def test_the_same_recipe_paints_the_same_pixels(paint):
    assert same(pictures(paint(recipe())), pictures(paint(recipe())))


def test_another_seed_paints_another_picture(paint):
    assert not same(pictures(paint(recipe())), pictures(paint(recipe(seed=4))))


def test_two_runs_at_once_do_not_disturb_each_other(paint):
    alone = pictures(paint(recipe()))
    first, second, interleaved = paint(recipe()), paint(recipe(seed=9)), []
    for frame in first:
        interleaved.append(frame.picture)
        next(second, None)
        torch.rand(3)
    assert same(alone, interleaved)


@pytest.mark.parametrize("stopped_after", [1, 3, 6])
@pytest.mark.parametrize("name", ["Adam", "SGD", "Adagrad"])
def test_stopping_and_resuming_paints_the_same_pixels(paint, stopped_after, name):
    wanted = recipe(optimizer={"name": name}, average=0.5)
    whole = pictures(paint(wanted))
    assert same(whole, stopped_and_resumed(lambda: paint(wanted), after=stopped_after))


def test_a_finished_run_goes_on_as_if_it_had_been_longer(paint):
    longer = recipe(steps=9, optimizer={"schedule": "constant"})
    shorter = recipe(steps=6, optimizer={"schedule": "constant"})
    finished = paint(shorter)
    list(finished)
    going_on = paint(longer)
    going_on.restore(finished.state())
    assert same(pictures(paint(longer))[6:], pictures(going_on))


def test_a_change_while_painting_is_recorded_and_replayed(paint):
    live = paint(recipe())
    frames = [next(live).picture for _ in range(3)]
    live.change(prompts="a blue car :2", learning_rate=0.3)
    frames += pictures(live)
    assert live.recipe.changes[0].step == 3
    assert not same(frames, pictures(paint(recipe())))
    assert same(frames, pictures(paint(live.recipe)))


def test_batches_of_cutouts_see_every_cutout(paint):
    frames = list(paint(recipe(cutouts={"count": 5, "batches": 2})))
    assert np.isfinite([value for frame in frames for value in frame.losses.values()]).all()


def test_batches_give_the_gradient_of_one(paint):
    plain = {"kind": "crowson", "count": 6}  # no chance but the places, which are drawn at once
    one = paint(recipe(cutouts=plain, steps=2))
    many = paint(recipe(cutouts={**plain, "batches": 3}, steps=2))
    assert np.abs(pictures(one)[1].astype(int) - pictures(many)[1].astype(int)).max() <= 1


def test_the_loss_falls(paint):
    frames = list(paint(recipe(prompts="a red fox", steps=25, cutouts={"kind": "crowson", "count": 8})))
    losses = [frame.losses["prompts"] for frame in frames]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_a_negative_prompt_is_pushed_away(paint):
    plain = {"kind": "crowson", "count": 8}

    def end(text: str) -> float:
        frames = list(paint(recipe(prompts=text, steps=25, cutouts=plain)))
        return float(np.mean([frame.similarities[0][1] for frame in frames[-5:]]))

    assert end("a red fox :-1") < end("a red fox")


def test_a_reached_stop_lets_go(paint):
    frames = list(paint(recipe(prompts="a red fox :1 :9", steps=5)))
    assert all(np.array_equal(frame.picture, frames[0].picture) for frame in frames)


def test_a_picture_is_a_prompt_and_a_start(paint, red_picture):
    wanted = recipe(prompts="[red.png] :2", init={"kind": "picture", "picture": "red.png"})
    frames = list(paint(wanted, pictures={"red.png": red_picture}))
    assert frames[-1].similarities[0][0] == "red.png"


@pytest.mark.parametrize("kind", ["perlin", "gradient", "snow", "grey"])
def test_every_noise_starts_a_picture_of_its_own(paint, kind):
    start = next(paint(recipe(init={"kind": kind}))).picture
    assert not np.array_equal(start, next(paint(recipe())).picture)


@pytest.mark.parametrize("size", [(33, 50), (64, 32), (40, 96)])
def test_any_size_is_painted_as_asked(paint, size):
    width, height = size
    assert pictures(paint(recipe(width=width, height=height, steps=1)))[-1].shape == (
        height,
        width,
        3,
    )


@pytest.mark.parametrize("name", ["total_variation", "start_pixels", "start_latent", "latent_decay"])
def test_every_loss_changes_the_picture(paint, name):
    plain = pictures(paint(recipe()))
    assert not same(plain, pictures(paint(recipe(losses={name: 50.0}))))


def test_nearness_to_the_start_keeps_the_start(paint):
    def drift(weight: float) -> float:
        frames = pictures(paint(recipe(losses={"start_latent": weight}, steps=10)))
        return float(np.abs(frames[-1].astype(float) - frames[0]).mean())

    assert drift(100.0) < drift(0.0)


def test_scenes_follow_each_other(paint):
    frames = list(paint(recipe(prompts="a fox ^ a car", steps=4)))
    assert [frame.similarities[0][0] for frame in frames] == [
        "a fox",
        "a fox",
        "a car",
        "a car",
        "a car",
    ]


def test_a_prompt_may_wait_for_its_step(paint):
    prompts = [[{"text": "a fox"}, {"text": "snow", "first_step": 2}]]
    frames = list(paint(recipe(prompts=prompts, steps=3)))
    assert [len(frame.similarities) for frame in frames] == [1, 1, 2, 2]


def test_a_region_prompt_acts_on_its_side(paint):
    left = pictures(paint(recipe(prompts=[[{"text": "a fox", "region": "left"}]])))
    right = pictures(paint(recipe(prompts=[[{"text": "a fox", "region": "right"}]])))
    assert not same(left, right)


def test_bfloat16_paints_nearly_the_same(paint):
    exact, rough = (
        pictures(paint(recipe(steps=1))),
        pictures(paint(recipe(steps=1, precision="bfloat16"))),
    )
    assert np.abs(exact[0].astype(int) - rough[0].astype(int)).mean() < 6


def test_frames_have_a_sheet_of_cutouts_while_it_is_watched(paint):
    watched, plain = paint(recipe()), pictures(paint(recipe()))
    frames = [next(watched)]
    watched.watch_cutouts(True)
    frames.append(next(watched))
    watched.watch_cutouts(False)
    frames += watched
    assert [frame.cutouts is not None for frame in frames] == [False, True] + [False] * 5
    sheet = frames[1].cutouts()
    assert sheet.dtype == np.uint8
    assert sheet.ndim == 3
    assert same(plain, [frame.picture for frame in frames])
