"""Several workers: fairness, pauses that end elsewhere, lost workers, and threads that do not grow."""

import threading

import numpy as np
import pytest

from pixgen.errors import DeviceError
from pixgen.studio import Studio
from pixgen.studio.grids.grid import Cell, Grid, Plan
from pixgen.studio.timing import work_of
from pixgen.studio.workers.base import WorkerLost
from pixgen.studio.workers.local import LocalWorker, make_local_workers, parse_devices
from tests.studio.fakes import Painters, a_recipe, ended, until


@pytest.fixture
def open_workers(tmp_path):
    """Opens a studio with these workers, and closes it after the test."""
    studios = []

    def open_one(*workers, **options) -> Studio:
        studios.append(Studio(tmp_path / f"runs{len(studios)}", device="cpu", workers=workers, **options))
        return studios[-1]

    yield open_one
    for studio in studios:
        studio.close()


def local(painters, name="cpu"):
    return LocalWorker("cpu", painter=painters, name=name)


def undisturbed(open_workers, recipe):
    job = open_workers(local(Painters())).submit(recipe)
    ended(job)
    return job.run.picture.read_bytes()


class Unsteady(LocalWorker):
    """A worker that is lost before a step, so often."""

    def __init__(self, *, at: int, times: int = 1, name: str = "unsteady") -> None:
        self.painters = Painters()
        super().__init__("cpu", painter=self.painters, name=name)
        self.left, self.replaced = times, 0
        self.painters.at[at] = self.lose

    def lose(self) -> None:
        if self.left:
            self.left -= 1
            raise WorkerLost("The worker {name} is gone.", name=self.name)

    def replace(self) -> bool:
        self.replaced += 1
        return True


def test_two_workers_paint_two_pictures_at_once(open_workers):
    first, second = Painters(hold_at=3), Painters(hold_at=3)
    studio = open_workers(local(first), local(second))
    jobs = [studio.submit(a_recipe(seed=seed)) for seed in range(3)]
    assert first.held.wait(20)
    assert second.held.wait(20)
    assert sorted(job.position for job in jobs) == [0, 0, 1]
    assert [entry.before for entry in studio.queue()] == [0, 0, 1]
    first.go_on.set()
    second.go_on.set()
    ended(*jobs)


def test_several_workers_on_the_cpu_give_the_same_pixels(tmp_path, real):
    recipe = a_recipe(steps=3, cutouts={"count": 2})
    pictures = []
    for devices in (["cpu"], ["cpu", "cpu"]):
        workers = make_local_workers(devices, painter=real)
        with Studio(tmp_path / str(len(devices)), device="cpu", workers=workers) as studio:
            jobs = [studio.submit(recipe) for _ in devices]
            ended(*jobs)
            pictures += [job.frame.picture for job in jobs]
    assert (pictures[1] == pictures[2]).all()
    assert np.abs(pictures[0].astype(int) - pictures[1]).max() <= 1


def test_a_newcomer_does_not_wait_for_all_that_another_person_has_asked(open_workers):
    painters = Painters(hold_at=0)
    studio = open_workers(local(painters), local(painters))
    for seed in range(4):
        studio.submit(a_recipe(seed=seed), owner="ada")
    until(lambda: len(painters.made) == 2)
    other = studio.submit(a_recipe(seed=9), owner="grace")
    assert other.position == 1
    painters.go_on.set()
    ended(other)
    assert [painter.recipe.seed for painter in painters.made].index(9) <= 3


def test_waits_know_the_number_of_workers(open_workers):
    painters = Painters(hold_at=0)
    studio = open_workers(local(painters), local(painters))
    studio.durations.record(a_recipe(), work=6.0 / work_of(a_recipe()))
    jobs = [studio.submit(a_recipe(seed=seed)) for seed in range(5)]
    until(lambda: len(painters.made) == 2)
    waits = {entry.job: entry.wait for entry in studio.queue()}
    assert [waits[job] for job in jobs] == pytest.approx([0, 0, 6, 6, 12])
    painters.go_on.set()


def test_a_grid_uses_every_worker(open_workers):
    painters = [Painters(seconds=0.01), Painters(seconds=0.01), Painters(seconds=0.01)]
    studio = open_workers(*map(local, painters))
    cells = tuple(Cell(recipe=a_recipe(seed=seed)) for seed in range(9))
    grid = Grid.make(studio, Plan(rows=("", "", ""), columns=("a", "b", "c"), cells=cells))
    assert [index for index, _ in grid.paint()] == list(range(9))
    assert all(run.state == "done" for run in grid.runs())
    assert all(len(each.made) >= 2 for each in painters)


def test_a_pause_that_ends_on_another_worker_keeps_the_pixels(open_workers):
    first, second = Painters(hold_at=5), Painters(hold_at=2)
    studio = open_workers(local(first), local(second))
    job = studio.submit(a_recipe(seed=4))
    until(lambda: first.made or second.made)
    held, other = (first, second) if first.made else (second, first)
    assert held.held.wait(20)
    job.pause()
    blocked = studio.submit(a_recipe(seed=5))  # keeps the other worker
    assert other.held.wait(20)
    held.hold_at = 7  # where the next picture keeps the first worker
    held.go_on.set()
    until(lambda: job.state == "waiting")
    held.go_on.clear()
    held.held.clear()
    third = studio.submit(a_recipe(seed=6))
    assert held.held.wait(20)
    other.go_on.set()
    ended(blocked)
    job.resume()
    ended(job)
    held.go_on.set()
    ended(third)
    assert len(other.made) == 2
    assert job.run.picture.read_bytes() == undisturbed(open_workers, a_recipe(seed=4))


@pytest.mark.parametrize("save_every", [0, 60], ids=["from a checkpoint", "from the start"])
def test_a_lost_worker_costs_no_picture_and_no_pixel(open_workers, frames_of, save_every):
    unsteady = Unsteady(at=7)
    studio = open_workers(unsteady, save_every=save_every)
    job, after = studio.submit(a_recipe(seed=3)), studio.submit(a_recipe(seed=8))
    ended(job, after)
    assert unsteady.replaced == 1
    assert job.state == "done"
    assert job.run.picture.read_bytes() == undisturbed(open_workers, a_recipe(seed=3))
    assert len(frames_of(job.run.video)) == len(frames_of(after.run.video))


def test_people_are_told_of_a_lost_worker_and_changes_are_kept(open_workers):
    notices = []
    unsteady = Unsteady(at=7)
    changes = ["a blue owl"]
    unsteady.painters.at[5] = lambda: changes and job.change(prompts=changes.pop())
    unsteady.painters.at[8] = lambda: notices.append(job.notice)
    studio = open_workers(unsteady)
    job = studio.submit(a_recipe(seed=3))
    ended(job)
    assert "continues from its last saved step" in notices[0]
    assert [change.step for change in job.recipe.changes] == [6]
    assert job.run.picture.read_bytes() == undisturbed(open_workers, job.recipe)


def test_a_picture_that_no_worker_survives_fails_in_the_end(open_workers):
    studio = open_workers(Unsteady(at=4, times=99))
    job = studio.submit(a_recipe())
    assert job.wait(20)
    assert job.state == "failed"
    assert "3 workers ended" in str(job.error)


def test_a_job_that_is_stopped_when_its_worker_is_lost_can_be_resumed(open_workers):
    unsteady = Unsteady(at=7)
    studio = open_workers(unsteady, save_every=0)
    lose = unsteady.painters.at[7]
    unsteady.painters.at[6] = lambda: (job.stop(), lose()) if unsteady.left else None
    job = studio.submit(a_recipe(seed=3))
    ended(job)
    assert job.state == "stopped"
    again = studio.resume(job.id)
    ended(again)
    assert again.run.picture.read_bytes() == undisturbed(open_workers, a_recipe(seed=3))


def test_workers_that_join_and_leave(open_workers):
    first, second = Painters(hold_at=0), Painters()
    studio = open_workers(local(first))
    jobs = [studio.submit(a_recipe(seed=seed)) for seed in range(3)]
    assert first.held.wait(20)
    worker = local(second)
    studio.pool.add(worker)
    ended(*jobs[1:])
    studio.pool.remove(worker)
    first.go_on.set()
    ended(jobs[0])
    assert len(studio.workers) == 1
    assert len(second.made) == 2


class Starting(LocalWorker):
    """A worker that starts until it is closed."""

    def __init__(self) -> None:
        super().__init__("cpu", painter=Painters())
        self.closed, self.was_closed = threading.Event(), False

    def prepare(self) -> None:
        self.was_closed = self.closed.wait(20)
        raise WorkerLost("The worker {name} is gone.", name=self.name)

    def replace(self) -> bool:
        return False

    def close(self) -> None:
        self.closed.set()


def test_a_studio_closes_while_a_worker_starts(open_workers):
    worker = Starting()
    studio = open_workers(worker)
    job = studio.submit(a_recipe())
    studio.close()
    assert worker.was_closed
    assert job.state == "stopped"


class Sized(LocalWorker):
    """A worker with so many bytes."""

    def __init__(self, painters, size: int) -> None:
        super().__init__("cpu", painter=painters)
        self.memory = size


def test_a_picture_goes_where_its_memory_fits_or_is_refused_with_the_sizes(open_workers, monkeypatch):
    small, large = Painters(), Painters()
    studio = open_workers(Sized(small, 10**9), Sized(large, 4 * 10**9))
    needed = {1: 2 * 10**9, 2: 3 * 10**9, 3: 5 * 10**9}
    monkeypatch.setattr("pixgen.studio.workers.pool.needed_bytes", lambda recipe, device: needed[recipe.seed])
    jobs = [studio.submit(a_recipe(seed=seed)) for seed in needed]
    assert all(job.wait(20) for job in jobs)
    assert [job.state for job in jobs] == ["done", "done", "failed"]
    assert len(large.made) == 2
    assert "needs about 5.0 GB of memory, and the largest device has" in str(jobs[2].error)


def test_many_jobs_take_no_more_threads_than_a_few(open_workers):
    seen = set()
    painters = Painters()
    painters.at[1] = lambda: seen.add(threading.get_ident())
    studio = open_workers(local(painters), local(painters))
    ended(studio.submit(a_recipe(steps=2)))
    count = threading.active_count()
    for _ in range(4):
        ended(*[studio.submit(a_recipe(steps=2)) for _ in range(15)])
    assert threading.active_count() <= count
    assert len(seen) <= 2


def test_devices_are_read_from_a_text():
    assert parse_devices("cuda:0, cuda:1") == ("cuda:0", "cuda:1")
    assert parse_devices("cpu:2") == ("cpu", "cpu")
    assert parse_devices("cuda:1,cpu:1") == ("cuda:1", "cpu")
    assert parse_devices("auto") == ("auto",)


@pytest.mark.parametrize("text", ["", "cpu:0", "cpu:65", "gpu", "cuda:0,cuda:0", "auto,cpu", "cpu,,cpu"])
def test_devices_that_cannot_be_are_an_error_that_shows_how(text):
    with pytest.raises(DeviceError, match="cpu"):
        parse_devices(text)


def test_workers_on_the_cpu_share_its_models_and_have_names():
    workers = make_local_workers(["cpu", "cpu"])
    assert [worker.name for worker in workers] == ["cpu 1", "cpu 2"]
    assert workers[0].models is workers[1].models
    (alone,) = make_local_workers(["cpu"])
    assert alone.name == "cpu"
