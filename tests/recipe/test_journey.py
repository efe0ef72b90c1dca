"""Journeys as values: keyframes, frames, and what cannot be."""

import json

import pytest

from pixgen.errors import RecipeError
from pixgen.recipe.journey import Journey, format_keyframes, keyframe_at, parse_keyframes
from pixgen.recipe.recipe import make_recipe


def recipe(journey, **fields):
    base = {"prompts": "a fox", "steps": 40, "journey": {"every": 4, "after": 8}}
    return make_recipe(base, {"journey": journey}, fields)


@pytest.mark.parametrize(
    ("text", "keyframes"),
    [
        ("1.02", ((0, 1.02),)),
        ("0:1, 60:1.02", ((0, 1.0), (60, 1.02))),
        (" 0: -.5,7 :2e-1 ", ((0, -0.5), (7, 0.2))),
        (1.5, ((0, 1.5),)),
    ],
)
def test_keyframes_are_read_and_printed(text, keyframes):
    assert parse_keyframes(text) == keyframes
    assert parse_keyframes(format_keyframes(keyframes)) == keyframes


def test_between_keyframes_it_goes_straight_and_beyond_it_stays():
    keyframes = ((10, 1.0), (20, 2.0), (30, 0.0))
    assert [keyframe_at(keyframes, frame) for frame in (0, 10, 15, 20, 25, 30, 99)] == [
        1,
        1,
        1.5,
        2,
        1,
        0,
        0,
    ]


def test_frames_come_every_so_many_steps_after_the_first():
    journey = Journey(every=4, after=8)
    assert [step for step in range(21) if journey.is_frame(step)] == [8, 12, 16, 20]
    assert journey.frames(20) == 4
    assert journey.steps(4) == 20
    assert [journey.frame(step) for step in (8, 11, 12, 20)] == [0, 0, 1, 3]
    assert not any(Journey().is_frame(step) for step in range(9))
    assert Journey().frames(100) == 0


def test_a_journey_is_the_same_as_json():
    made = recipe({"zoom": "0:1, 60:1.02", "turn": -2, "smooth": 0.5})
    assert make_recipe(json.loads(made.to_json())) == made
    assert made.journey.motion(30).zoom == pytest.approx(1.01)


@pytest.mark.parametrize(
    ("journey", "fields", "said"),
    [
        ({"zoom": "0:fast"}, {}, "“0:fast” is not a list of keyframes: write frame:value"),
        ({"zoom": "fast"}, {}, "does not know “fast”: use t, frame"),
        ({"zoom": "1 + bass"}, {}, "follows the sound, but there is none"),
        ({"zoom": "0:3"}, {}, "from 0.5 to 2, not 3"),
        ({"zoom": "9:1, 3:1"}, {}, "in the order of their frames"),
        ({"x": "0:nan"}, {}, "is not a list of keyframes"),
        ({"after": 50}, {}, "begins after 50 steps, but there are only 40"),
        ({"where": "latent"}, {"drawer": "pixels"}, "only the drawing method vqgan"),
        ({}, {"drawer": "lines"}, "lines cannot paint a journey"),
        ({}, {"average": 0.5}, "journey.smooth"),
        ({}, {"init": {"kind": "picture", "picture": "a", "mask": "b"}}, "cannot have a mask"),
        ({"video": "a.mp4"}, {}, 'kind "video"'),
        ({}, {"init": {"kind": "video"}}, 'kind "video"'),
        ({"video": "a.mp4", "zoom": "1.1"}, {"init": {"kind": "video"}}, "has its own motion"),
        ({"video": "a.mp4", "every": 0}, {"init": {"kind": "video"}}, "steps for each"),
    ],
)
def test_a_journey_that_makes_no_sense_is_an_error(journey, fields, said):
    with pytest.raises(RecipeError, match=said):
        recipe(journey, **fields)
