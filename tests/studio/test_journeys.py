"""Journeys, stories and restyled videos in the studio: real optimizations with tiny models."""

import json
from pathlib import Path

import numpy as np
import pytest

from pixgen.errors import RecipeError, VideoError
from pixgen.recipe.options import Options
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Studio
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.metadata.mp4 import has_sound, read_timing
from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.studio.video.export import VideoWriter, explain_lost_sound, export
from pixgen.studio.video.journeys import fit_shape, plan_journey, plan_restyle
from pixgen.studio.video.recording import read_video_metadata
from pixgen.studio.video.source import SourceVideo, probe, read_info
from pixgen.studio.video.timeline import ExportSettings
from tests.studio.deaths import killed
from tests.studio.fakes import a_recipe, stopped

FILES = Path(__file__).parent.parent / "fixtures" / "files"
SMALL = {"width": 32, "height": 32, "cutouts": {"count": 2}}


@pytest.fixture
def video(tmp_path):
    """A video of 9 pictures at 12 a second: a bright bar that moves to the right; wider than high."""
    path = tmp_path / "bar.mp4"
    with VideoWriter(path, fps=12) as film:
        for number in range(9):
            picture = np.full((32, 64, 3), 40, np.uint8)
            picture[:, 6 * number : 6 * number + 12] = 220
            film.add(picture)
    return path


def journey(**fields):
    base = {"prompts": "a fox ^ an owl", "steps": 14, "seed": 3, "story": {"fade": 0.5}, **SMALL}
    moves = {
        "journey": {
            "every": 3,
            "after": 2,
            "zoom": 1.1,
            "turn": 4,
            "smooth": 0.4,
            "fps": 12,
            "where": "latent",
        }
    }
    return make_recipe(base, moves, fields)


def painted(studio, recipe):
    job = studio.submit(recipe)
    assert job.wait(300)
    assert job.error is None
    return job


def test_each_picture_of_the_video_is_a_frame_of_the_journey(open_studio, real, frames_of):
    job = painted(open_studio(real), journey())
    assert read_video_metadata(job.run.video).steps == (2, 5, 8, 11, 14)
    assert read_timing(job.run.video) == (5, 12.0)
    light = [frame.mean(2) for frame in frames_of(job.run.video)]  # it is kept better than colours
    far = [np.abs(each - job.frame.picture.mean(2)).mean() for each in light]
    assert far[-1] < min(far[:-1]) / 2
    assert read_metadata(job.run.video) == job.recipe


def test_a_stopped_journey_goes_on_to_the_same_video(open_studio, real, frames_of):
    studio = open_studio(real)
    whole, job = painted(studio, journey()), stopped(studio, journey(), 6)
    assert job.state == "stopped"
    studio.close()
    resumed = open_studio(real).resume(job.id)
    assert resumed.wait(60)
    assert (resumed.frame.picture == whole.frame.picture).all()
    films = [frames_of(each.run.video) for each in (whole, resumed)]
    assert len(films[0]) == len(films[1]) == 5
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(*films, strict=True)) < 6


def test_an_exported_journey_holds_nothing(open_studio, real, tmp_path):
    job = painted(open_studio(real), journey())
    export(job.run.video, tmp_path / "b.mp4")
    assert read_timing(tmp_path / "b.mp4") == (5, 12.0)


def test_a_story_video_has_the_right_length(open_studio, real, tmp_path):
    recipe = make_recipe({"prompts": "a fox ^ an owl ^ the sea", "steps": 12, "story": {"fade": 1}, **SMALL})
    job = painted(open_studio(real), recipe)
    assert read_timing(job.run.video) == (13 + 20, 20.0)  # every step, and a second of the last


@pytest.mark.parametrize("more", [{}, {"smooth": 0.5}])
def test_a_restyled_video_has_its_frames_and_goes_on_exactly(open_studio, real, video, frames_of, more):
    options = Options(prompt="a fox", size="64x32", seed=3, assignments=["cutouts.count=2"])
    recipe = plan_restyle(video, options, every=2, frames=6, **more)
    assert recipe.steps == 12
    studio = open_studio(real)
    whole = painted(studio, recipe)
    assert read_timing(whole.run.video) == (6, 12.0)
    assert whole.recipe.journey.video.startswith("inputs/")
    job = stopped(studio, recipe, 5)
    studio.close()
    video.unlink()  # the run has its own copy
    resumed = open_studio(real).resume(job.id)
    assert resumed.wait(60)
    assert (resumed.frame.picture == whole.frame.picture).all()
    films = [frames_of(each.run.video, width=64) for each in (whole, resumed)]
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(*films, strict=True)) < 6


def test_a_restyled_video_has_the_sound_of_the_original_and_tells_what_is_left_out(
    open_studio, real, tmp_path
):
    options = Options(prompt="a fox", size="64x32", seed=3, assignments=["cutouts.count=2"])
    recipe = plan_restyle(FILES / "pal.mp4", options, every=1, frames=6, fps=6)
    job = painted(open_studio(real), recipe)
    assert has_sound(job.run.video)
    assert read_info(job.run.video).seconds == pytest.approx(1, abs=0.05)  # as long as its frames
    assert "Only the first 1 s of the video's 2 s will be restyled (6 frames)" in job.run.notice
    for name, kept in (("a.mp4", True), ("a.webm", True), ("a.gif", False)):
        export(job.run.video, tmp_path / name)
        kind = {"mp4": "mov", "webm": "matroska", "gif": "gif"}[name[2:]]
        assert bool(read_info(tmp_path / name, source=("-f", kind)).sound) == kept
        assert bool(explain_lost_sound(job.run.video, tmp_path / name)) != kept
    assert "original speed" in explain_lost_sound(job.run.video, "b.mp4", ExportSettings(seconds=2))


def test_footage_is_read_forwards_and_again_and_ends_with_its_last(video):
    footage = SourceVideo(video, fps=12)

    def bar(frame):
        return float((np.asarray(footage[frame]).mean((0, 2)) > 130).nonzero()[0].mean())

    assert [bar(frame) for frame in (0, 3, 3, 8)] == pytest.approx([5.5, 23.5, 23.5, 53.5], abs=1)
    assert bar(1) == pytest.approx(11.5, abs=1)
    assert bar(5000) == pytest.approx(53.5, abs=1)


def test_a_video_is_looked_at_at_the_pace_that_is_wanted(video):
    assert probe(video, fps=12).frames == 21  # nine, and a second of the last
    assert probe(video, fps=6).frames in (10, 11)
    assert probe(video, fps=12, most=4).frames == 4
    looked = probe(video, fps=12)
    assert (looked.width, looked.height) == (64, 32)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"#EXTM3U\nhttp://example.org/a.ts\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\0\0\0\x20ftypisom" + b"x" * 99,
        b"GIF89a" + b"x" * 99,
    ],
)
def test_what_is_no_video_is_an_error(tmp_path, content):
    if content is not None:
        (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(VideoError):
        probe(tmp_path / "a.mp4", fps=12)


def test_a_video_of_a_public_page_must_be_an_upload(open_studio, real, video, tmp_path):
    from pixgen.errors import PictureError
    from pixgen.studio import Policy

    studio = open_studio(real, policy=Policy.for_public(picture_folders=(tmp_path / "uploads",)))
    recipe = plan_restyle(video, Options(prompt="a fox"), frames=2)
    with pytest.raises(PictureError, match="uploaded"):
        studio.submit(recipe)


@pytest.mark.parametrize(
    ("size", "shape"),
    [((1920, 1080), (176, 96)), ((100, 100), (128, 128)), ((10, 4000), (32, 2048))],
)
def test_a_canvas_has_the_shape_of_its_video(size, shape):
    assert fit_shape(*size, pixels=128 * 128) == shape


def test_a_journey_is_planned_by_frames():
    recipe = plan_journey(Options(prompt="a fox"), frames=10, every=4, after=8, zoom="0:1, 60:1.02")
    assert recipe.steps == 8 + 9 * 4
    assert recipe.journey.frames(recipe.steps) == 10
    assert recipe.preset == "journey"
    assert recipe.journey.zoom == ((0, 1.0), (60, 1.02))


def test_too_many_frames_are_an_error():
    with pytest.raises(RecipeError, match="1 to 5000 frames"):
        plan_journey(Options(prompt="a fox"), frames=5001)
    with pytest.raises(RecipeError, match="at most 20000 are possible"):
        plan_journey(Options(prompt="a fox"), frames=5000, every=5)


def test_a_fake_painter_records_only_frames(studio, frames_of):
    job = painted(studio, a_recipe(journey={"every": 4, "after": 4}))
    assert len(frames_of(job.run.video)) == 3


def kind_of_film(kind, video):
    """A recipe for the bundled models of a film whose every frame is painted."""
    plain = {**SMALL, "width": 64, "height": 64, "seed": 3, "steps": 12}
    if kind == "story":
        fade = {"story": {"fade": 0.6}, "optimizer": {"schedule": "cosine"}}
        return make_recipe({"prompts": "a fox ^ an owl ^ a boat"}, plain, fade)
    if kind == "restyle":
        options = Options(prompt="a fox", size="64x32", seed=3, assignments=["cutouts.count=2"])
        return plan_restyle(video, options, every=2, frames=6)
    return journey(**plain)


@pytest.mark.parametrize("kind", ["story", "journey", "restyle"])
def test_one_whose_process_was_killed_is_there_and_goes_on_to_the_same_pixels(kind, video, tmp_path):
    folder, recipe = tmp_path / "outputs", kind_of_film(kind, video)

    def in_the_middle(run):
        return json.loads((run / "run.json").read_text("utf-8"))["step"] >= 4

    run_id = killed(folder, in_the_middle, recipe=recipe)
    with Studio(folder, device="cpu") as studio:
        opened = Gallery(studio).open(run_id)
        assert (opened.run.state, opened.entry.state) == ("stopped", "stopped")
        assert 4 <= opened.run.step < 12
        resumed = studio.resume(run_id)
        assert resumed.wait(300)
        whole = painted(studio, recipe)
        assert (resumed.state, resumed.error) == ("done", None)
        assert (resumed.frame.picture == whole.frame.picture).all()
        assert resumed.run.curve.read_bytes() == whole.run.curve.read_bytes()
        films = [read_video_metadata(job.run.video) for job in (resumed, whole)]
        assert films[0].steps == films[1].steps
        counts = [read_timing(job.run.video) for job in (resumed, whole)]
        assert counts[0] == counts[1]
