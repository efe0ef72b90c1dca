"""The queue: places and times, moving up and down, pauses, and leaving it."""

import pytest

from pixgen.studio.timing import DurationEstimator, work_of
from tests.studio.fakes import Painters, a_recipe, ended, until


@pytest.fixture
def held(open_studio):
    """A studio whose first job holds before its step 3, and two more of the same owner behind it."""
    painters = Painters(hold_at=3)
    studio = open_studio(painters)
    jobs = [studio.submit(a_recipe(seed=seed), owner="ada") for seed in range(3)]
    assert painters.held.wait(20)
    return painters, studio, jobs


def order(painters):
    return [painter.recipe.seed for painter in painters.made]


def test_the_queue_tells_places_and_times(held):
    painters, studio, jobs = held
    assert [place.job for place in studio.queue()] == jobs
    assert [place.before for place in studio.queue()] == [0, 1, 2]
    assert [place.wait for place in studio.queue()][0] == 0
    painters.go_on.set()
    ended(*jobs)
    assert studio.queue() == []


def test_times_add_up_from_what_was_measured():
    timing = DurationEstimator()
    recipe, larger = a_recipe(), a_recipe(width=64, height=64)
    assert timing.estimate(recipe) is None
    timing.record(recipe, work=0.5)
    assert timing.estimate(recipe) == pytest.approx(0.5 * work_of(recipe))
    assert timing.estimate(larger) == pytest.approx(0.5 * work_of(larger))
    assert work_of(recipe) < work_of(larger) < 4 * work_of(recipe)
    timing.record(larger, work=2.0, saving=1.0)
    assert timing.estimate(recipe) == pytest.approx(0.5 * work_of(recipe))
    assert timing.estimate(larger) == pytest.approx(1.0 + 2.0 * work_of(larger))
    timing.record(recipe, work=1.5)  # the newest counts most, and not alone
    assert 1.0 < timing.unit(recipe) < 1.5


def test_who_waits_is_told_for_how_long(held):
    painters, studio, (first, second, third) = held
    recipe = a_recipe()
    studio.durations.record(recipe, work=6.0 / work_of(recipe))
    waits = {place.job: (place.wait, place.takes) for place in studio.queue()}
    assert waits[second][1] == pytest.approx(6.0) == waits[third][1]
    assert waits[third][0] == pytest.approx(waits[second][0] + 6.0)
    second.pause()
    waits = {place.job: place.wait for place in studio.queue()}
    assert waits[second] is None
    assert waits[third] < 6.0


def test_a_job_moves_up_and_down_among_those_who_wait(held):
    painters, studio, (first, second, third) = held
    studio.move(third, -1)
    assert (second.position, third.position) == (2, 1)
    studio.move(third, -1)  # the first one is painted already
    studio.move(second, 1)  # it is the last one already
    assert (first.position, second.position, third.position) == (0, 2, 1)
    painters.go_on.set()
    ended(first, second, third)
    assert order(painters) == [0, 2, 1]


def test_nobody_moves_before_anybody_else(held):
    painters, studio, (first, second, third) = held
    other = studio.submit(a_recipe(seed=7), owner="grace")
    last = studio.submit(a_recipe(seed=8), owner="ada")
    studio.move(other, -1)
    studio.move(last, -1)
    assert [job.position for job in (second, last, other, third)] == [1, 2, 3, 4]


def test_a_paused_job_lets_the_others_go_first_and_then_paints_the_same(held, open_studio):
    painters, studio, (first, second, third) = held
    first.pause()
    painters.go_on.set()
    ended(second, third)
    assert (first.state, first.paused, first.ended) == ("waiting", True, False)
    assert studio.run(first.id).state == "waiting"
    assert first.run.picture.is_file()  # saved as it stood
    first.resume()
    ended(first)
    whole = studio.submit(a_recipe(seed=0))
    ended(whole)
    assert (first.frame.picture == whole.frame.picture).all()
    assert first.run.picture.read_bytes() == whole.run.picture.read_bytes()


def test_a_job_that_waits_may_be_paused(held):
    painters, studio, (first, second, third) = held
    second.pause()
    assert (second.position, third.position) == (1, 1)
    painters.go_on.set()
    ended(first, third)
    assert second.state == "waiting"
    second.resume()
    ended(second)
    assert order(painters) == [0, 2, 1]


def test_a_paused_job_can_be_cancelled_and_keeps_its_picture(held):
    painters, studio, (first, second, third) = held
    first.pause()
    second.stop()
    painters.go_on.set()
    ended(third)
    first.stop()
    ended(first, second)
    assert (first.state, second.state) == ("stopped", "stopped")
    assert first.run.picture.is_file()
    assert first.run.state_file.is_file()
    assert studio.queue() == []


def test_a_studio_closes_though_a_job_is_paused(held):
    painters, studio, (first, second, third) = held
    for job in (second, first):
        job.pause()
    painters.go_on.set()
    studio.close(timeout=20)
    assert {job.state for job in (first, second)} == {"stopped"}


def test_a_pause_does_not_count_as_painting(open_studio):
    painters = Painters(hold_at=3)
    studio = open_studio(painters)
    job = studio.submit(a_recipe())
    assert painters.held.wait(20)
    job.pause()
    painters.go_on.set()
    until(lambda: job.state == "waiting")
    before = job.run.seconds
    until(lambda: job.status().paused)
    assert job.run.seconds == before
    job.resume()
    ended(job)
