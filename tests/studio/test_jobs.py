"""Watching, stopping and changing a job."""

import threading
import time

import pytest

from pixgen.cli.app import main
from pixgen.errors import PictureError, RecipeError, StudioError
from pixgen.studio import Policy
from pixgen.studio.runs.edits import Edit, has_no_pending_edit, request_edit
from tests.studio.fakes import Painters, a_recipe


def test_a_watcher_sees_a_glimpse_at_once_and_the_end_last(open_studio):
    painters = Painters(hold_at=0)
    job = open_studio(painters).submit(a_recipe())
    statuses = job.watch()
    assert next(statuses).frame is None
    painters.go_on.set()
    *_, last = statuses
    assert (last.state, last.frame.step, last.frame.steps) == ("done", 12, 12)


def test_a_watcher_gets_at_most_its_rate_and_always_the_newest(open_studio):
    painters = Painters(seconds=0.005)
    job = open_studio(painters).submit(a_recipe(steps=150))
    began, statuses, count, ended = time.monotonic(), job.watch(rate=10), 0, False
    while not ended:
        newest = job.frame.step if job.frame else 0
        job_status = next(statuses)
        assert job_status.frame is None or job_status.frame.step >= newest
        count, ended = count + 1, job_status.state == "done"
    assert count <= 10 * (time.monotonic() - began) + 2  # one at once, and the end at once


def test_a_slow_watcher_slows_nobody(open_studio):
    job = open_studio().submit(a_recipe(steps=40))
    slow = job.watch(rate=1000)
    next(slow)
    assert job.wait(20)
    assert next(slow).state == "done"
    assert list(slow) == []


def test_leaving_a_watcher_does_not_stop_the_job(open_studio):
    painters = Painters(hold_at=5)
    job = open_studio(painters).submit(a_recipe())
    watcher = job.watch()
    next(watcher)
    watcher.close()
    painters.go_on.set()
    assert job.wait(20)
    assert job.state == "done"


def test_several_may_watch_at_once(open_studio):
    painters = Painters(hold_at=3)
    job = open_studio(painters).submit(a_recipe())
    ends = []
    threads = [threading.Thread(target=lambda: ends.append(list(job.watch(rate=50))[-1])) for _ in range(4)]
    for thread in threads:
        thread.start()
    painters.go_on.set()
    for thread in threads:
        thread.join(20)
    assert [(job_status.state, job_status.frame.step) for job_status in ends] == [("done", 12)] * 4


def test_a_watcher_hears_of_a_job_that_takes_its_time(open_studio):
    painters = Painters(hold_at=0)
    job = open_studio(painters).submit(a_recipe())
    statuses = job.watch()
    assert painters.held.wait(20)
    assert [next(statuses).state for _ in range(3)][-1] == "painting"
    assert not painters.go_on.is_set()


def test_a_watcher_is_told_when_its_job_moves_up(open_studio):
    painters = Painters(hold_at=0)
    studio = open_studio(painters)
    first, second, third = (studio.submit(a_recipe()) for _ in range(3))
    statuses = third.watch(rate=100)
    assert next(statuses).position == 2
    second.stop()
    assert next(job_status.position for job_status in statuses if job_status.position < 2) == 1
    first.stop()


def test_frames_that_nobody_needs_are_never_asked_for_their_picture(open_studio):
    painters = Painters()
    job = open_studio(painters).submit(a_recipe(steps=900))
    assert job.wait(30)
    assert len(painters.asked) == 301  # the film's
    assert set(painters.asked) >= {0, 900}


def test_glimpses_tell_pace_and_time_left(open_studio):
    painters = Painters(seconds=0.02)
    job = open_studio(painters).submit(a_recipe(steps=40))
    job_status = next(each for each in job.watch(rate=100) if each.frame and each.frame.step >= 20)
    assert 0 < job_status.steps_per_second <= 50
    left = (40 - job_status.frame.step) / job_status.steps_per_second
    assert job_status.seconds_left == pytest.approx(left)
    assert job_status.elapsed >= 0.4
    job.wait(20)
    assert job.status().seconds_left is None


def test_stop_keeps_picture_video_and_state(open_studio):
    painters = Painters(hold_at=5)
    studio = open_studio(painters)
    job = studio.submit(a_recipe())
    assert painters.held.wait(20)
    job.stop()  # returns although the step at hand hangs
    painters.go_on.set()
    assert job.wait(20)
    run = studio.run(job.id)
    assert (job.state, run.state, job.frame.step, run.step) == ("stopped", "stopped", 5, 5)
    assert all(path.exists() for path in (run.picture, run.video, run.state_file))


def test_an_ended_job_keeps_its_picture_and_lets_go_of_the_device(studio):
    job = studio.submit(a_recipe())
    assert job.wait(20)
    assert job.frame.picture.shape == (32, 32, 3)
    assert not hasattr(job.frame, "draw")
    assert not hasattr(job.frame, "asked")


def test_waiting_can_be_given_up(open_studio):
    painters = Painters(hold_at=0)
    job = open_studio(painters).submit(a_recipe())
    assert not job.wait(0.05)


def test_a_change_counts_from_the_next_step_and_is_recorded(open_studio):
    painters = Painters(hold_at=5)
    studio = open_studio(painters)
    job = studio.submit(a_recipe())
    assert painters.held.wait(20)
    job.change(prompts="a blue owl:2", learning_rate=0.5)
    painters.go_on.set()
    assert job.wait(20)
    (change,) = studio.run(job.id).recipe.changes
    assert change.step == 6
    assert change.learning_rate == 0.5
    assert (change.prompts[0][0].text, change.prompts[0][0].weight) == ("a blue owl", 2)
    again = studio.submit(job.recipe)
    assert again.wait(20)
    assert (again.frame.picture == job.frame.picture).all()


def test_several_changes_before_a_step_become_one(open_studio):
    painters = Painters(hold_at=5)
    job = open_studio(painters).submit(a_recipe())
    assert painters.held.wait(20)
    for number in range(9):
        job.change(learning_rate=0.1 + number / 10)
    job.change(prompts="an owl")
    painters.go_on.set()
    assert job.wait(20)
    (change,) = job.recipe.changes
    assert change.learning_rate == pytest.approx(0.9)
    assert change.prompts[0][0].text == "an owl"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"prompts": " | "}, RecipeError, "empty"),
        ({"prompts": "a|b|c"}, RecipeError, "Too many prompts: 3. The limit here is 2"),
        ({"prompts": "[/nothing/there.png]"}, PictureError, "there.png"),
        ({"learning_rate": 0.0}, RecipeError, "learning_rate must be greater than 0"),
        ({"learning_rate": float("nan")}, RecipeError, "learning_rate"),
    ],
)
def test_a_change_that_is_not_allowed_is_an_error_and_hurts_nothing(open_studio, change, error, said):
    painters = Painters(hold_at=2)
    job = open_studio(painters, policy=Policy(most_prompts=2)).submit(a_recipe())
    with pytest.raises(error, match=said):
        job.change(**change)
    painters.go_on.set()
    assert job.wait(20)
    assert (job.state, job.recipe.changes) == ("done", ())


def test_a_change_after_the_end_is_an_error(studio):
    job = studio.submit(a_recipe())
    job.wait(20)
    with pytest.raises(StudioError, match="finished"):
        job.change(prompts="an owl")


def test_a_change_may_bring_a_new_picture(open_studio, tmp_path, red_picture):
    red_picture.save(tmp_path / "red.png")
    painters = Painters(hold_at=3)
    job = open_studio(painters).submit(a_recipe())
    assert painters.held.wait(20)
    job.change(prompts=f"[{tmp_path}/red.png] | snow")
    painters.go_on.set()
    assert job.wait(20)
    (change,) = job.recipe.changes
    path = change.prompts[0][0].picture
    assert painters.made[0].pictures[path].size == red_picture.size
    assert (job.run.folder / path).is_file()


def test_a_job_that_takes_too_long_is_stopped_and_says_so(open_studio):
    painters = Painters(seconds=0.02)
    job = open_studio(painters, policy=Policy(longest_seconds=0.2)).submit(a_recipe(steps=2000))
    assert job.wait(20)
    assert job.state == "stopped"
    assert "0.2 seconds" in job.notice
    assert "0.2 seconds" in job.run.notice
    assert job.run.picture.exists()


def test_another_process_may_ask_for_a_change(open_studio, capsys):
    painters = Painters(hold_at=5)
    studio = open_studio(painters)
    job = studio.submit(a_recipe(prompts="a red fox | snow"))
    assert painters.held.wait(20)
    asked = ["change", job.id, "--output-dir", str(studio.folder)]
    painters.at[6] = lambda: request_edit(job.run, Edit(weights={2: 0.5}))
    assert main([*asked, "an owl | snow", "--weight", "1=zwei"]) == 2
    assert main(asked) == 2
    assert main([*asked, "--weight", "3=1"]) == 2
    said = capsys.readouterr().err
    assert all(each in said for each in ("weight of a prompt", "There is nothing to change", "no prompt 3"))
    request_edit(job.run, Edit(prompts="an owl | snow"))
    request_edit(job.run, Edit(learning_rate=0.5))
    painters.go_on.set()
    assert job.wait(20)
    first, second = job.recipe.changes
    assert (first.step, first.learning_rate, first.prompts[0][0].text) == (6, 0.5, "an owl")
    assert (second.step, second.prompts[0][1].weight) == (7, 0.5)
    assert has_no_pending_edit(job.run.folder)
    assert main([*asked, "a hen"]) == 2
    assert "not being painted" in capsys.readouterr().err
