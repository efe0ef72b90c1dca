"""How fast it goes."""

import pytest

from pixgen.studio.timing import DurationEstimator, JobTimer, StepRate, work_of
from tests.studio.fakes import a_recipe


def test_nothing_is_said_before_two_frames():
    pace = StepRate()
    assert (pace.steps_per_second, pace.seconds_left(5)) == (0.0, None)
    pace.step(100.0)
    assert (pace.steps_per_second, pace.seconds_left(5)) == (0.0, None)


def test_an_even_pace_is_known_from_the_second_frame():
    pace = StepRate()
    for number in range(3):
        pace.step(100 + number / 4)
        if number:
            assert pace.steps_per_second == pytest.approx(4)
    assert pace.seconds_left(8) == pytest.approx(2)
    assert pace.seconds_left(0) == 0


def test_the_last_steps_count_most():
    pace, now = StepRate(), 0.0
    for seconds in [1.0] * 50 + [0.1] * 50:
        pace.step(now)
        now += seconds
    assert pace.steps_per_second == pytest.approx(10, rel=0.1)


def painted(durations, recipe, *, loading=1.0, sketch=4.0, step=0.25, estimates=None):
    """A job of this pace, up to its end; ``estimates`` gets the time left at each moment with the true one."""
    timer, now = JobTimer(durations), 100.0
    end = now + loading + sketch + (recipe.steps + 1) * step

    def ask(step_now):
        if estimates is not None:
            estimates.append((timer.seconds_left(recipe, step=step_now, now=now), end - now))

    timer.enter("loading", now)
    ask(None)
    now += loading
    timer.enter("painting", now)
    ask(None)
    for sketched in range(-4, 0):
        now += sketch / 4
        timer.add_frame(recipe, sketched, now)
        ask(sketched)
    for number in range(recipe.steps + 1):
        now += step
        timer.add_frame(recipe, number, now)
        ask(number)
    timer.finish(recipe, now)


def sketched(**settings):
    return a_recipe(init={"kind": "sketch"}, steps=20, **settings)


def test_the_second_picture_knows_its_time_from_the_first_moment_on(tmp_path):
    recipe, first, second = sketched(), [], []
    painted(DurationEstimator(tmp_path / "durations.json"), recipe, estimates=first)
    assert [left for left, _ in first[:7]] == [None] * 7  # nothing is known before two steps
    again = DurationEstimator(tmp_path / "durations.json")  # also after a new start
    painted(again, recipe, estimates=second)
    assert all(left == pytest.approx(true, abs=0.01) for left, true in second)


def test_a_slower_machine_is_noticed_while_it_paints():
    durations, recipe, estimates = DurationEstimator(), sketched(), []
    painted(durations, recipe)
    painted(durations, recipe, step=0.5, estimates=estimates)
    left, true = estimates[-6]
    assert left == pytest.approx(true, rel=0.3)


def test_a_canvas_that_grows_takes_longer_at_the_end():
    recipe = sketched(width=256, height=256, grow={"at": (0.5,)})
    assert work_of(recipe, 0, 10) < work_of(recipe, 10, 20) / 2
    assert work_of(recipe) == pytest.approx(work_of(recipe, 0, 10) + work_of(recipe, 10))


def test_a_broken_file_of_durations_is_learned_again(tmp_path):
    (tmp_path / "durations.json").write_text("{broken")
    durations = DurationEstimator(tmp_path / "durations.json")
    assert durations.estimate(sketched()) is None
    painted(durations, sketched())
    assert DurationEstimator(tmp_path / "durations.json").estimate(sketched()) > 5


def test_another_size_is_estimated_in_proportion_and_another_model_from_any():
    durations = DurationEstimator()
    painted(durations, sketched())
    assert durations.unit(sketched(width=256)) == pytest.approx(durations.unit(sketched()))
    assert durations.unit(sketched(model="f16-16384")) is not None
