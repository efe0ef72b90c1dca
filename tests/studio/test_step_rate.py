"""How fast it goes."""

import pytest

from pixgen.studio.timing import StepRate


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
