"""Orders, the line, and what a run leaves behind."""

import re
import threading
import time

import numpy as np
import pytest
from PIL import Image

from pixgen.errors import DeviceError, PictureError, RecipeError, StorageError, StudioError
from pixgen.recipe.recipe import read_recipe
from pixgen.studio import Policy, Studio
from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.studio.studio import REMEMBERED
from tests.studio.fakes import Painters, a_recipe


def test_a_run_leaves_recipe_picture_video_state_and_facts(studio):
    job = studio.submit(a_recipe(seed=3))
    assert job.wait(20)
    assert (job.state, job.error) == ("done", None)
    names = {path.name for path in job.run.folder.iterdir()} - {".lock"}
    files = {"recipe.json", "picture.png", "progress.mp4", "curve.json", "state.pt", "run.json"}
    assert names == files


def test_the_picture_carries_its_recipe_and_is_the_last_frame(studio):
    job = studio.submit(a_recipe(seed=3))
    job.wait(20)
    assert read_metadata(job.run.picture) == read_metadata(job.run.video) == a_recipe(seed=3)
    assert (np.asarray(Image.open(job.run.picture)) == job.frame.picture).all()
    assert read_recipe((job.run.folder / "recipe.json").read_text("utf-8")) == a_recipe(seed=3)


def test_a_run_is_the_same_from_the_disk_and_from_memory(studio):
    job = studio.submit(a_recipe(), owner="ada")
    job.wait(20)
    stored, live = studio.run(job.id), job.run
    assert (stored.state, stored.step, stored.owner) == ("done", 12, "ada")
    assert stored.similarities == live.similarities == (("a red fox", 1.0),)
    assert stored.finished is not None
    assert stored.finished >= stored.started


def test_a_run_remembers_which_one_it_was_made_from(studio):
    first = studio.submit(a_recipe())
    second = studio.submit(a_recipe(seed=1), parent=first.id)
    assert first.wait(20)
    assert second.wait(20)
    assert (studio.run(first.id).parent, studio.run(second.id).parent) == ("", first.id)


def test_ids_say_the_time_and_nothing_of_the_prompt(studio):
    ids = {studio.submit(a_recipe(steps=0)).id for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"\d{8}-\d{6}-[a-z]{6}", each) for each in ids)


def test_submit_returns_while_models_load(open_studio):
    loading = threading.Event()

    def slow(*_):
        loading.wait(20)
        raise StudioError("enough")

    job = open_studio(slow).submit(a_recipe())
    assert not job.ended
    loading.set()
    assert job.wait(20)


def test_jobs_run_one_at_a_time_in_the_order_of_submission(open_studio):
    painters = Painters(hold_at=0)
    studio = open_studio(painters)
    jobs = [studio.submit(a_recipe(seed=seed)) for seed in range(4)]
    assert painters.held.wait(20)
    assert [job.position for job in jobs] == [0, 1, 2, 3]
    painters.go_on.set()
    assert all(job.wait(20) for job in jobs)
    assert [painter.recipe.seed for painter in painters.made] == [0, 1, 2, 3]


def test_a_full_studio_says_so_and_keeps_no_folder(open_studio):
    painters = Painters(hold_at=0)
    studio = open_studio(painters, policy=Policy(waiting=1))
    studio.submit(a_recipe())
    studio.submit(a_recipe())
    with pytest.raises(StudioError, match=r"full .*try again later"):
        studio.submit(a_recipe())
    assert len(list(studio.folder.iterdir())) == 2


def test_one_owner_cannot_take_every_place(open_studio):
    painters = Painters(hold_at=0)
    studio = open_studio(painters, policy=Policy.for_public())
    first, _ = (studio.submit(a_recipe(), owner="ada") for _ in range(2))
    with pytest.raises(StudioError, match="2 pictures waiting or being painted"):
        studio.submit(a_recipe(), owner="ada")
    studio.submit(a_recipe(), owner="grace")
    first.stop()
    painters.go_on.set()
    assert first.wait(20)
    studio.submit(a_recipe(), owner="ada")


def test_stopping_a_job_that_waits_lets_the_others_move_up(open_studio):
    painters = Painters(hold_at=0)
    studio = open_studio(painters)
    _, second, third = (studio.submit(a_recipe()) for _ in range(3))
    assert painters.held.wait(20)
    second.stop()
    assert second.wait(20)
    assert (second.state, second.frame, third.position) == ("stopped", None, 1)


def test_runs_are_listed_newest_first_and_others_folders_left_alone(studio):
    jobs = [studio.submit(a_recipe(seed=seed, steps=1)) for seed in range(3)]
    assert all(job.wait(20) for job in jobs)
    (studio.folder / "holiday").mkdir()
    (studio.folder / "20200101-000000-abcdef").mkdir()
    assert [run.id for run in studio.runs()] == [job.id for job in reversed(jobs)]


@pytest.mark.parametrize("run_id", ["../secret", "", "20200101-000000-abcdef", "x" * 5000, "a\0b"])
def test_a_run_that_is_none_is_an_error(studio, run_id):
    with pytest.raises(StudioError, match="There is no run"):
        studio.run(run_id)


def test_the_same_recipe_again_overwrites_nothing(studio):
    first, second = (studio.submit(a_recipe()) for _ in range(2))
    assert first.wait(20)
    assert second.wait(20)
    assert first.run.folder != second.run.folder
    assert first.run.picture.read_bytes() == second.run.picture.read_bytes()


def test_named_pictures_are_copied_and_found_again(open_studio, tmp_path):
    Image.new("RGB", (9, 9), "red").save(tmp_path / "my fox.png")
    painters = Painters()
    studio = open_studio(painters)
    prompt = f"[{tmp_path / 'my fox.png'}] | snow"
    start = {"kind": "picture", "picture": str(tmp_path / "my fox.png")}
    job = studio.submit(a_recipe(prompts=prompt, init=start))
    assert job.wait(20)
    kept = job.recipe.init.picture
    assert re.fullmatch(r"inputs/[0-9a-f]{64}/my_fox.png", kept)
    assert painters.made[0].pictures[kept].getpixel((4, 4)) == (255, 0, 0)
    (tmp_path / "my fox.png").unlink()
    again = studio.submit(read_metadata(job.run.picture))  # beside its copies
    assert again.wait(20)
    assert again.state == "done"
    moved = tmp_path / "moved.png"
    moved.write_bytes(job.run.picture.read_bytes())
    elsewhere = studio.submit(read_metadata(moved))  # the studio finds the copies
    assert elsewhere.wait(20)
    assert elsewhere.state == "done"
    assert elsewhere.recipe == job.recipe


def test_a_picture_that_is_not_there_is_an_error_at_once_and_leaves_no_folder(studio, tmp_path):
    with pytest.raises(PictureError, match="nothing.png"):
        studio.submit(a_recipe(prompts=f"[{tmp_path}/nothing.png]"))
    assert list(studio.folder.iterdir()) == []


def test_a_file_that_is_no_picture_fails_the_job_with_a_clear_error(studio, tmp_path):
    (tmp_path / "notes.png").write_text("not a picture")
    job = studio.submit(a_recipe(prompts=f"[{tmp_path}/notes.png]"))
    assert job.wait(20)
    assert (job.state, type(job.error)) == ("failed", PictureError)


def test_in_public_no_picture_of_the_server_can_be_named(open_studio, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "private.png")
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / "link.png").symlink_to(tmp_path / "private.png")
    Image.new("RGB", (9, 9)).save(uploads / "mine.png")
    studio = open_studio(policy=Policy.for_public(picture_folders=(uploads,)))
    for path in (tmp_path / "private.png", uploads / "link.png", uploads / ".." / "private.png"):
        with pytest.raises(PictureError, match="uploaded"):
            studio.submit(a_recipe(prompts=f"[{path}]"))
    assert studio.submit(a_recipe(prompts=f"[{uploads}/mine.png]")).wait(20)


def test_the_policy_is_checked_before_anything_is_made(open_studio):
    studio = open_studio(policy=Policy(most_steps=5))
    with pytest.raises(RecipeError, match="at most 5 steps"):
        studio.submit(a_recipe(steps=6))
    assert list(studio.folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot be written .*--output-dir or PIXGEN_OUTPUT_DIR"):
        Studio(tmp_path / "file" / "outputs", device="cpu")


def test_the_folder_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXGEN_OUTPUT_DIR", str(tmp_path / "elsewhere"))
    with Studio(device="cpu") as studio:
        assert studio.folder == tmp_path / "elsewhere"
        assert studio.folder.is_dir()


def test_an_unknown_device_is_an_error_that_lists_them(tmp_path):
    with pytest.raises(DeviceError, match="choose auto, cpu, cuda"):
        Studio(tmp_path, device="tpu")


def test_closing_stops_and_saves_every_job_and_ends_its_threads(open_studio):
    painters = Painters(seconds=0.01)
    studio = open_studio(painters)
    jobs = [studio.submit(a_recipe(steps=1000)) for _ in range(3)]
    next(job_status for job_status in jobs[0].watch(rate=100) if job_status.frame is not None)
    studio.close()
    assert [job.state for job in jobs] == ["stopped"] * 3
    assert jobs[0].run.picture.exists()
    assert not [each for each in threading.enumerate() if each.name.startswith(("job", "film"))]
    with pytest.raises(StudioError, match="closed"):
        studio.submit(a_recipe())


def test_exclusive_work_gets_its_turn_between_two_steps(open_studio):
    painters = Painters(seconds=0.02)
    studio = open_studio(painters)
    job = studio.submit(a_recipe(steps=500))
    next(job_status for job_status in job.watch(rate=100) if job_status.frame is not None)
    with studio.exclusive():
        before = painters.made[0].step
        time.sleep(0.1)
        assert painters.made[0].step == before
    assert not job.ended
    job.stop()


def test_on_load_is_called_on_the_jobs_thread_when_its_turn_has_come(studio):
    seen = []
    job = studio.submit(
        a_recipe(),
        on_load=lambda job: seen.append((job.state, job.position, threading.current_thread().name)),
    )
    assert job.wait(20)
    assert seen == [("loading", 0, f"job {job.id}")]


def test_only_so_many_ended_jobs_are_remembered_but_all_runs(open_studio):
    painters = Painters(hold_at=0)
    studio = open_studio(painters, policy=Policy(waiting=50))
    held, *jobs = (studio.submit(a_recipe()) for _ in range(REMEMBERED + 2))
    for job in jobs:  # they wait, so they end without painting
        job.stop()
    assert all(job.wait(20) for job in jobs)
    studio.submit(a_recipe())
    assert studio.job(jobs[0].id) is None
    assert studio.job(jobs[-1].id) is jobs[-1]
    assert studio.job(held.id) is held
    assert len(studio.runs()) == REMEMBERED + 3
