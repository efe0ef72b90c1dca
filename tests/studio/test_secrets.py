"""What pictures and films tell of how they were made, and what they never tell."""

import dataclasses

import pytest
from PIL import Image

from pixgen.errors import PictureError
from pixgen.studio import Studio
from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.studio.video.export import export
from tests.studio.fakes import Painters, a_recipe

SECRET = "N 52.5186 E 13.4083, Ada's camera"


@pytest.fixture
def studio(tmp_path):
    """A studio that paints at once."""
    with Studio(tmp_path / "runs", device="cpu", painter=Painters()) as studio:
        yield studio


def painted(studio, recipe, **how):
    """The run of a recipe, when it is done."""
    job = studio.submit(recipe, **how)
    job.wait()
    assert job.error is None
    return studio.run(job.id)


def test_without_metadata_picture_and_video_tell_nothing(studio, tmp_path):
    run = painted(studio, a_recipe(prompts="a secret garden"), metadata=False)
    assert run.metadata is False
    for file in (run.picture, run.video):
        assert b"secret" not in file.read_bytes()
        assert b"pixgen" not in file.read_bytes()
        with pytest.raises(PictureError, match="contains no recipe"):
            read_metadata(file)
    export(run.video, tmp_path / "film.webm")
    assert b"secret" not in (tmp_path / "film.webm").read_bytes()


def test_the_runs_own_folder_still_knows_the_recipe(studio):
    recipe = a_recipe(prompts="a secret garden")
    run = painted(studio, recipe, metadata=False)
    assert run.recipe == recipe
    assert read_metadata(run.folder / "recipe.json") == recipe


def test_going_on_keeps_the_choice(tmp_path):
    painters = Painters(hold_at=6)
    with Studio(tmp_path / "runs", device="cpu", painter=painters) as studio:
        job = studio.submit(a_recipe(), metadata=False)
        assert painters.held.wait(30)
        job.stop()
        painters.go_on.set()
        job.wait()
        again = studio.resume(job.id)
        again.wait()
        run = studio.run(again.id)
    assert (run.state, run.metadata) == ("done", False)
    assert dataclasses.replace(run, metadata=True).embedded_recipe == run.recipe
    assert b"pixgen" not in run.picture.read_bytes()


def test_what_a_camera_wrote_into_an_upload_is_in_no_result(studio, tmp_path):
    exif = Image.Exif()
    exif[0x010E] = SECRET  # ImageDescription
    exif[0x0112] = 6  # lies on its side
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (60, 40), "tomato").save(photo, exif=exif, comment=SECRET.encode())
    assert SECRET.encode() in photo.read_bytes()
    recipe = a_recipe(prompts=f"a fox | [{photo}]", init={"kind": "picture", "picture": str(photo)})
    run = painted(studio, recipe)
    results = [path for path in run.folder.iterdir() if path.is_file()]
    assert {run.picture, run.video} <= set(results)
    for path in results:
        for part in (b"52.5186", b"camera", b"Exif"):
            assert part not in path.read_bytes(), path.name
    for suffix in (".gif", ".webp", ".webm"):
        export(run.video, tmp_path / f"film{suffix}")
        assert b"52.5186" not in (tmp_path / f"film{suffix}").read_bytes()
