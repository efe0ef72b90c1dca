"""The figures of a run, step by step."""

import math
from dataclasses import dataclass

import pytest

from pixgen.studio.runs.curve import MAX_ROWS, Curve
from tests.studio.fakes import Painters, a_recipe


@dataclass(frozen=True)
class Figures:
    step: int
    steps: int
    similarities: tuple
    losses: dict


def figures(step, steps=10, *, prompt="a fox", cosine=0.25, **losses):
    return Figures(step, steps, ((prompt, cosine),), losses)


def test_a_painted_run_keeps_the_figures_of_every_step(studio):
    job = studio.submit(a_recipe())
    assert job.wait(20)
    curve = Curve.read(job.run.curve)
    assert curve.steps == list(range(13))
    assert curve.similarities["a red fox"][-1] == 1.0
    assert curve.losses == {"prompts": [1.0] * 13}


def test_a_column_is_empty_where_its_prompt_was_not_in_force(tmp_path):
    curve = Curve(tmp_path / "curve.json")
    curve.add(figures(0, prompt="day", cosine=0.123456789))
    curve.add(figures(1, prompt="night", tiling=math.nan))
    curve.save()
    kept = Curve.read(curve.path)
    assert kept.steps == [0, 1]
    assert kept.similarities == {"day": [0.12346, None], "night": [None, 0.25]}
    assert kept.losses == {"tiling": [None, None]}


def test_going_back_forgets_what_came_later_and_sketching_counts_for_nothing(tmp_path):
    curve = Curve(tmp_path / "curve.json")
    for step in (-2, -1, 0, 1, 2, 3, 2):
        curve.add(figures(step))
    assert curve.steps == [0, 1, 2]


def test_however_long_the_run_the_file_stays_small(tmp_path):
    curve = Curve(tmp_path / "curve.json")
    for session in range(8):  # each goes on for ten more steps than there are pictures in a film
        for step in range(session * 310, session * 310 + 311):
            curve.add(figures(step, (session + 1) * 310))
    assert len(curve.steps) <= MAX_ROWS
    assert curve.steps == sorted(set(curve.steps))
    assert curve.steps[-1] == 8 * 310
    long = Curve(tmp_path / "long.json")
    for step in range(20_001):
        long.add(figures(step, 20_000))
    assert (len(long.steps), long.steps[0], long.steps[-1]) == (301, 0, 20_000)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"steps": [1]}', '{"steps": [0, 1], "similarities": {"a": [1]}, "losses": {}}']
)
def test_a_broken_file_is_as_good_as_none(tmp_path, text):
    path = tmp_path / "curve.json"
    path.write_text(text)
    assert Curve.read(path).steps == []
    assert Curve.read(tmp_path / "missing.json").steps == []


def test_a_stop_keeps_the_curve_so_far(open_studio):
    painters = Painters(hold_at=5)
    job = open_studio(painters).submit(a_recipe())
    assert painters.held.wait(20)
    job.stop()
    painters.go_on.set()
    assert job.wait(20)
    assert Curve.read(job.run.curve).steps == list(range(6))
