"""What goes wrong: full disks, lost folders, too little memory, bugs. Nothing painted is lost."""

import dataclasses
import errno
import gc
import logging
import os
import resource
import weakref
from contextlib import contextmanager
from datetime import datetime, timedelta

import numpy as np
import pytest
from PIL import Image

from pixgen.errors import DeviceError, ModelError, OutOfMemory, StorageError, StudioError
from pixgen.studio.jobs import Job
from pixgen.studio.model_cache import ModelCache
from pixgen.studio.runs.run import Run, RunLock
from pixgen.studio.scheduler import JobQueue
from pixgen.studio.workers.local import LocalWorker
from pixgen.studio.workers.session import JobSession, SessionTools
from tests.studio.fakes import Painters, a_recipe


@contextmanager
def full_disk(room=0):
    """No file of this process can grow over ``room`` bytes: a real error of the system's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_at_the_end_is_one_clear_error_and_loses_nothing(open_studio):
    painters = Painters(hold_at=12)
    studio = open_studio(painters)
    job = studio.submit(a_recipe())
    assert painters.held.wait(20)
    with full_disk():
        painters.go_on.set()
        assert job.wait(20)
        assert (job.state, type(job.error)) == ("failed", StorageError)
        assert "The disk is full" in str(job.error)
        assert job.frame.step == 12
        assert job.error.__traceback__ is None  # it would keep the painter in memory
        with pytest.raises(StorageError, match="The disk is full"):
            job.save()
    job.save()
    run = studio.run(job.id)
    assert (job.state, job.error, run.state) == ("done", None, "done")
    assert (np.asarray(Image.open(run.picture)) == job.frame.picture).all()
    assert run.state_file.exists()


def test_saving_again_what_is_saved_does_nothing(studio):
    job = studio.submit(a_recipe())
    assert job.wait(20)
    before = job.run.picture.stat().st_mtime_ns
    job.save()
    assert job.run.picture.stat().st_mtime_ns == before


def test_a_disk_that_is_full_for_a_while_does_not_stop_the_painting(open_studio):
    painters = Painters(hold_at=8)
    studio = open_studio(painters, save_every=0)
    job = studio.submit(a_recipe())
    assert painters.held.wait(20)
    painters.hold_at, painters.at = None, {10: lambda: notices.append(job.notice)}
    notices = []
    disk = full_disk()
    painters.at |= {8: disk.__enter__, 11: lambda: disk.__exit__(None, None, None)}
    painters.go_on.set()
    assert job.wait(20)
    assert "The disk is full" in notices[0]
    assert "continues" in notices[0]
    assert (job.state, job.notice) == ("done", "")
    assert studio.run(job.id).state == "done"


def test_a_full_disk_keeps_the_state_that_was_saved_before(open_studio):
    painters = Painters(hold_at=8)
    studio = open_studio(painters, save_every=0)
    job = studio.submit(a_recipe())
    assert painters.held.wait(20)
    with full_disk():
        painters.go_on.set()
        assert job.wait(20)
    studio.close()
    fresh = open_studio()
    assert fresh.run(job.id).state == "stopped"
    resumed = fresh.resume(job.id)
    assert resumed.wait(20)
    assert (resumed.state, resumed.frame.picture.tolist()) == ("done", job.frame.picture.tolist())


def test_a_disk_that_is_full_at_submission_is_an_error_there_and_leaves_no_folder(studio):
    with full_disk(), pytest.raises(StorageError, match="The disk is full"):
        studio.submit(a_recipe())
    assert list(studio.folder.iterdir()) == []


def test_a_folder_that_is_lost_while_painting_keeps_the_picture_in_memory(open_studio):
    painters = Painters(hold_at=5)
    studio = open_studio(painters)
    job = studio.submit(a_recipe())
    assert painters.held.wait(20)
    studio.folder.rename(studio.folder.with_name("moved away"))  # at once: files are being written in it
    painters.go_on.set()
    assert job.wait(20)
    assert (job.state, type(job.error)) == ("failed", StorageError)
    assert "could not be saved" in str(job.error)
    assert job.frame.picture.shape == (32, 32, 3)


def test_a_video_that_cannot_be_written_does_not_stop_the_painting(open_studio, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nothing/ffmpeg")
    job = open_studio().submit(a_recipe())
    assert job.wait(20)
    assert job.state == "done"
    assert "imageio-ffmpeg" in job.notice
    assert job.run.notice == job.notice
    assert job.run.picture.exists()
    assert not job.run.video.exists()


@pytest.mark.parametrize(
    "error", [OutOfMemory("Try fewer cutouts."), ModelError("No such model."), MemoryError()]
)
def test_a_job_that_fails_keeps_its_last_picture_and_lets_the_next_one_paint(open_studio, error):
    painters = Painters(fail_at=6, error=error)
    studio = open_studio(painters)
    job = studio.submit(a_recipe(steps=12))
    after = studio.submit(a_recipe(steps=3))
    assert job.wait(20)
    assert after.wait(20)
    assert (job.state, after.state) == ("failed", "done")
    expected = type(error) if not isinstance(error, MemoryError) else OutOfMemory
    assert type(job.error) is expected
    assert job.frame.step == 5
    assert (np.asarray(Image.open(job.run.picture)) == job.frame.picture).all()
    assert studio.run(job.id).notice == str(job.error)


@pytest.mark.parametrize(
    "text", ["CUDA error: an illegal memory access was encountered", "device-side assert"]
)
def test_a_device_that_fails_in_mid_step_is_said_and_the_saved_state_stays(open_studio, text, caplog):
    class AcceleratorError(RuntimeError):
        """As torch's, which needs a device to be raised."""

    painters = Painters(fail_at=6, error=AcceleratorError(text))
    studio = open_studio(painters, save_every=0)
    job, after = studio.submit(a_recipe()), studio.submit(a_recipe(steps=3))
    assert job.wait(20)
    assert type(job.error) is DeviceError
    assert "restart pixgen, then continue" in str(job.error)
    assert "illegal" not in str(job.error)
    assert text in caplog.text
    assert (np.asarray(Image.open(job.run.picture)) == job.frame.picture).all()
    assert job.run.state_file.is_file()
    assert after.wait(20)
    assert after.state == "done"


def test_losses_that_are_not_numbers_are_kept_as_none_and_the_next_job_paints(open_studio, monkeypatch):
    painters = Painters()
    studio = open_studio(painters)
    make = painters.__call__

    def broken(*given):
        painter = make(*given)
        step = type(painter).__next__

        class Broken(type(painter)):
            def __next__(self):
                return dataclasses.replace(
                    step(self), losses={"prompts": float("nan"), "style": float("inf")}
                )

        painter.__class__ = Broken
        return painter

    monkeypatch.setattr(studio.pool.workers[0], "_painter", broken)
    job = studio.submit(a_recipe())
    assert job.wait(20)
    assert (job.state, job.error) == ("done", None)
    assert "NaN" not in "".join(path.read_text() for path in job.run.folder.glob("*.json*"))
    monkeypatch.undo()
    after = studio.submit(a_recipe(steps=3))
    assert after.wait(20)
    assert after.state == "done"


def test_a_clock_that_is_set_back_changes_no_duration_and_loses_no_run(open_studio, monkeypatch):
    """Durations come from a clock that only goes forward; the dates of runs only sort them."""
    studio = open_studio()
    first = studio.submit(a_recipe())
    assert first.wait(20)
    now = datetime.now().astimezone()

    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):
            return now - timedelta(days=400)

    for module in ("studio.studio", "studio.jobs"):
        monkeypatch.setattr(f"pixgen.{module}.datetime", Earlier)
    second = studio.submit(a_recipe())
    assert second.wait(20)
    assert (second.state, second.run.seconds >= 0) == ("done", True)
    assert {run.id for run in studio.runs()} == {first.id, second.id}
    assert second.id != first.id


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_is_read_only_is_said_when_a_job_is_submitted(studio, monkeypatch, number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number), "somewhere")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.mkdir", refuse)
        with pytest.raises(StorageError) as raised:
            studio.submit(a_recipe())
        assert "somewhere" not in str(raised.value)
    job = studio.submit(a_recipe())
    assert job.wait(20)
    assert job.state == "done"


def test_a_failed_job_lets_go_of_its_painter(open_studio):
    painters = Painters(fail_at=2, error=OutOfMemory("Try fewer cutouts."))
    job = open_studio(painters).submit(a_recipe())
    assert job.wait(20)
    held = weakref.ref(painters.made.pop())
    gc.collect()
    assert held() is None
    assert job.error.__traceback__ is None


def test_a_bug_is_logged_under_an_id_that_the_error_names(open_studio, caplog):
    painters = Painters(fail_at=2, error=ZeroDivisionError("secret detail"))
    studio = open_studio(painters)
    with caplog.at_level(logging.ERROR):
        job = studio.submit(a_recipe(prompts="my secret prompt"))
        assert job.wait(20)
    assert type(job.error) is StudioError
    assert "secret" not in str(job.error)
    (record,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert record.getMessage().split()[-1] in str(job.error)
    assert "ZeroDivisionError" in caplog.text
    assert "secret prompt" not in caplog.text


def test_a_painter_that_cannot_be_made_fails_the_job_and_frees_the_device(open_studio):
    def broken(*_):
        raise ModelError("There is no model “x”.")

    studio = open_studio(broken)
    jobs = [studio.submit(a_recipe()) for _ in range(2)]
    assert all(job.wait(20) for job in jobs)
    assert [str(job.error) for job in jobs] == ["There is no model “x”."] * 2
    assert not studio.runs()
    assert not any(job.run.folder.exists() for job in jobs)
    with studio.exclusive():
        pass


def test_too_little_memory_lets_go_of_the_loaded_models(tmp_path):
    loaded = []
    models = ModelCache(lambda: "cpu", load_vqgan=lambda name, device: loaded.append(name))

    def hungry(recipe, pictures, device, models):
        models.vqgan("large")
        raise OutOfMemory("Try a smaller size.")

    tools = SessionTools(queue=JobQueue(), save_every=60, longest_seconds=None)
    now = datetime.now().astimezone()
    job = Job(Run(folder=tmp_path, recipe=a_recipe(), state="waiting", started=now), queue=tools.queue)
    tools.queue.join(job)
    session = JobSession(job, tools, run_lock=RunLock(tmp_path))
    assert session.run(LocalWorker("cpu", painter=hungry, models=models)) == "ended"
    assert str(job.error) == "Try a smaller size."
    models.vqgan("large")
    assert loaded == ["large", "large"]


def test_a_failed_run_goes_on_from_the_state_saved_before_the_failure(open_studio, frames_of):
    painters = Painters(fail_at=9, error=OutOfMemory("Try fewer cutouts."))
    studio = open_studio(painters, save_every=0)
    job = studio.submit(a_recipe(seed=5))
    assert job.wait(20)
    studio.close()
    painters = Painters()
    studio = open_studio(painters)
    resumed, whole = studio.resume(job.id), studio.submit(a_recipe(seed=5))
    assert resumed.wait(20)
    assert whole.wait(20)
    assert (resumed.frame.picture == whole.frame.picture).all()
    assert len(frames_of(resumed.run.video)) == len(frames_of(whole.run.video))
