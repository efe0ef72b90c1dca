"""Going on: after a stop, after the end, after a death."""

import json
import os
from threading import Thread

import numpy as np
import pytest

from pixgen.errors import RecipeError, StorageError, StudioError
from pixgen.studio import Policy
from pixgen.studio.runs.run import RunLock, is_locked
from tests.studio.deaths import killed
from tests.studio.fakes import Painters, a_recipe


def painted(studio, recipe):
    job = studio.submit(recipe)
    assert job.wait(20)
    assert job.error is None
    return job


def stopped_at(open_studio, recipe, step, *, resume=None):
    """A run that was stopped when this step was its newest."""
    painters = Painters(hold_at=step)
    studio = open_studio(painters)
    job = studio.submit(recipe) if resume is None else studio.resume(resume)
    assert painters.held.wait(20)
    job.stop()
    painters.go_on.set()
    assert job.wait(20)
    assert (job.state, job.frame.step) == ("stopped", step)
    studio.close()
    return job


def assert_same(one, other, frames_of):
    assert (one.frame.picture == other.frame.picture).all()
    assert one.run.picture.read_bytes() == other.run.picture.read_bytes()
    assert one.run.curve.read_bytes() == other.run.curve.read_bytes()
    films = [frames_of(job.run.video) for job in (one, other)]
    assert len(films[0]) == len(films[1])
    # Cut at another place, the encoder rounds otherwise; another picture would be 50 away.
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(*films, strict=True)) < 6


@pytest.mark.parametrize("step", [0, 5, 11])
def test_a_resumed_run_is_what_it_had_been_without_a_stop(open_studio, frames_of, step):
    stopped = stopped_at(open_studio, a_recipe(seed=5), step)
    studio = open_studio()
    resumed = studio.resume(stopped.id)
    assert resumed.wait(20)
    assert resumed.id == stopped.id
    assert resumed.state == "done"
    assert_same(resumed, painted(studio, a_recipe(seed=5)), frames_of)


def test_the_video_takes_frames_from_a_gpu_with_the_next_step(open_studio, frames_of):
    painters = Painters(on_gpu=True)
    asked: dict[int, list[int]] = {}  # the pictures that were waited for before a step
    painters.at = {step: lambda step=step: asked.setdefault(step, list(painters.asked)) for step in range(12)}
    job = painted(open_studio(painters), a_recipe(seed=5))
    assert all(step - 1 not in before for step, before in asked.items())
    assert all(step - 2 in before for step, before in asked.items() if step >= 2)
    assert_same(job, painted(open_studio(), a_recipe(seed=5)), frames_of)


def test_a_run_can_be_stopped_and_resumed_many_times(open_studio, frames_of):
    job = stopped_at(open_studio, a_recipe(seed=5), 2)
    for step in (4, 6, 9):
        job = stopped_at(open_studio, None, step, resume=job.id)
    studio = open_studio()
    resumed = studio.resume(job.id)
    assert resumed.wait(20)
    assert_same(resumed, painted(studio, a_recipe(seed=5)), frames_of)


def test_changes_survive_a_stop(open_studio):
    def changed(stops):
        painters = Painters(hold_at=0)
        studio = open_studio(painters)
        job = studio.submit(a_recipe())
        painters.at = {4: lambda: job.change(prompts="an owl")}
        if stops:
            painters.at[7] = job.stop
        painters.go_on.set()
        assert job.wait(20)
        studio.close()
        return job

    whole, resumed = changed(stops=False), open_studio().resume(changed(stops=True).id)
    assert resumed.wait(20)
    assert [change.step for change in whole.recipe.changes] == [5]
    assert resumed.recipe == whole.recipe
    assert (resumed.frame.picture == whole.frame.picture).all()


def test_more_steps_go_on_from_a_finished_run(open_studio, frames_of):
    studio = open_studio()
    short = painted(studio, a_recipe(steps=6))
    finished = short.run.picture.read_bytes()
    longer = studio.resume(short.id, steps=12)
    assert longer.wait(20)
    assert (longer.state, longer.frame.step, longer.run.step) == ("done", 12, 12)
    assert studio.run(longer.id).parent == short.id
    assert len(frames_of(longer.run.video)) == 13 + 20  # each step once, and the last one held
    assert (longer.frame.picture == painted(studio, a_recipe(steps=12)).frame.picture).all()
    assert (longer.frame.picture == painted(studio, longer.recipe).frame.picture).all()
    assert (studio.run(short.id).state, short.run.picture.read_bytes()) == ("done", finished)


def test_a_stopped_run_shows_in_its_video_where_it_was_stopped(open_studio, frames_of):
    stopped = stopped_at(open_studio, a_recipe(steps=1200), 2)  # step 2 is not one of the film's
    last = frames_of(stopped.run.video)[-1]
    assert np.abs(last.astype(int) - stopped.frame.picture).mean() < 6


@pytest.mark.parametrize(
    ("steps", "said"),
    [(None, "is finished: to continue"), (12, "give more than 12 steps"), (3, "at least as many")],
)
def test_there_must_be_something_left_to_paint(studio, steps, said):
    job = painted(studio, a_recipe())
    before = job.run.picture.read_bytes()
    with pytest.raises(StudioError, match=said):
        studio.resume(job.id, steps=steps)
    assert job.run.picture.read_bytes() == before


def test_more_steps_than_the_policy_allows_are_refused(open_studio):
    studio = open_studio(policy=Policy(most_steps=20))
    job = painted(studio, a_recipe())
    with pytest.raises(RecipeError, match="at most 20 steps"):
        studio.resume(job.id, steps=21)
    assert studio.run(job.id).state == "done"


def test_a_run_that_is_being_painted_cannot_be_resumed(open_studio):
    painters = Painters(hold_at=1)
    studio = open_studio(painters)
    job = studio.submit(a_recipe())
    assert painters.held.wait(20)
    with pytest.raises(StudioError, match="being painted"):
        studio.resume(job.id)
    with pytest.raises(StudioError, match="being painted"):
        open_studio().resume(job.id)  # another process would be told the same
    assert open_studio().run(job.id).state in ("loading", "painting")


def test_in_public_nobody_goes_on_with_anothers_run(open_studio):
    studio = open_studio(policy=Policy.for_public())
    job = studio.submit(a_recipe(), owner="ada")
    assert job.wait(20)
    with pytest.raises(StudioError, match="There is no run"):
        studio.resume(job.id, steps=20, owner="grace")
    assert studio.resume(job.id, steps=20, owner="ada").wait(20)


def test_a_broken_state_is_a_clear_error_and_keeps_the_picture(open_studio):
    job = stopped_at(open_studio, a_recipe(), 5)
    before = job.run.picture.read_bytes()
    job.run.state_file.write_bytes(b"nonsense")
    resumed = open_studio().resume(job.id)
    assert resumed.wait(20)
    assert (resumed.state, type(resumed.error)) == ("failed", StudioError)
    assert "is broken" in str(resumed.error)
    assert job.run.picture.read_bytes() == before


def test_a_state_that_would_run_code_is_refused(open_studio, tmp_path):
    import torch

    job = stopped_at(open_studio, a_recipe(), 5)
    torch.save({"recipe": Trap(tmp_path / "sprung")}, job.run.state_file)
    resumed = open_studio().resume(job.id)
    assert resumed.wait(20)
    assert resumed.state == "failed"
    assert not (tmp_path / "sprung").exists()


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_stop_before_the_first_frame_leaves_a_run_that_resumes_from_its_start(open_studio):
    painters = Painters(hold_at=0)
    studio = open_studio(painters)
    studio.submit(a_recipe())
    waiting = studio.submit(a_recipe(seed=5))
    waiting.stop()
    assert waiting.wait(20)
    assert studio.run(waiting.id).state == "stopped"
    painters.go_on.set()
    resumed = studio.resume(waiting.id)
    assert resumed.wait(20)
    assert (resumed.frame.picture == painted(studio, a_recipe(seed=5)).frame.picture).all()


def test_a_resumed_run_that_is_stopped_at_once_loses_nothing(open_studio):
    job = stopped_at(open_studio, a_recipe(seed=5), 6)
    kept = {path: path.read_bytes() for path in (job.run.picture, job.run.video, job.run.state_file)}
    painters = Painters(hold_at=0)
    studio = open_studio(painters)
    studio.submit(a_recipe())  # takes the turn
    assert painters.held.wait(20)
    resumed = studio.resume(job.id)
    resumed.stop()
    assert resumed.wait(20)
    assert {path: path.read_bytes() for path in kept} == kept
    assert (studio.run(job.id).state, studio.run(job.id).step) == ("stopped", 6)


def test_a_killed_run_lists_as_stopped_and_goes_on_exactly(open_studio, frames_of, tmp_path):
    folder = tmp_path / "outputs"
    run_id = killed(folder, until=lambda run: json.loads((run / "run.json").read_text("utf-8"))["step"] > 0)
    studio = open_studio()
    run = studio.run(run_id)
    assert (run.state, [each.id for each in studio.runs()]) == ("stopped", [run_id])
    assert 0 < run.step < 200
    assert len(frames_of(run.video)) >= run.step + 1  # whole, as it was saved last
    resumed = studio.resume(run_id)
    assert resumed.wait(30)
    assert resumed.state == "done"
    assert_same(resumed, painted(studio, a_recipe(steps=200, seed=5)), frames_of)


def test_a_run_killed_before_anything_was_saved_begins_anew(open_studio, frames_of, tmp_path):
    folder = tmp_path / "outputs"
    run_id = killed(folder, until=lambda run: list(run.glob(".progress.mp4.*.tmp")))
    studio = open_studio()
    run = studio.run(run_id)
    assert run.state == "stopped"
    resumed = studio.resume(run_id)
    assert resumed.wait(30)
    assert not list(run.folder.glob(".*.tmp"))
    assert_same(resumed, painted(studio, a_recipe(steps=200, seed=5)), frames_of)


def test_a_run_lock_is_exclusive_until_its_release(tmp_path):
    run_lock = RunLock(tmp_path)
    with pytest.raises(StudioError, match="being painted"):
        RunLock(tmp_path)
    run_lock.release()
    RunLock(tmp_path).release()


def test_locking_a_run_that_is_gone_fails_and_makes_no_folder(tmp_path):
    with pytest.raises(StorageError):
        RunLock(tmp_path / "gone")
    assert not (tmp_path / "gone").exists()
    assert not is_locked(tmp_path / "gone")


def test_a_lock_of_another_thread_can_be_released_and_is_seen(tmp_path):
    lock = RunLock(tmp_path)
    assert is_locked(tmp_path)
    releasing = Thread(target=lock.release)
    releasing.start()
    releasing.join()
    assert not is_locked(tmp_path)
