"""Films as files."""

import subprocess
import tracemalloc

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

from pixgen.errors import StorageError, VideoError
from pixgen.studio.metadata.mp4 import read_timing
from pixgen.studio.metadata.picture_info import read_metadata
from pixgen.studio.video.encoding import MAX_QUEUED_FRAMES, Encoder
from pixgen.studio.video.export import VideoWriter, export, export_with_progress
from pixgen.studio.video.recording import (
    FPS,
    MOST_FRAMES,
    VideoRecording,
    is_recorded,
    read_video_metadata,
)
from pixgen.studio.video.timeline import ExportSettings
from tests.studio.fakes import a_recipe

COLOURS = [(220, 40, 30), (30, 200, 60), (40, 60, 230), (250, 250, 250), (0, 0, 0), (90, 90, 90)]


def picture(number, *, width=32, height=32):
    """One even colour, another for each number up to six."""
    return np.full((height, width, 3), COLOURS[number % 6], np.uint8)


def write(path, count=6, *, fps=FPS, recipe=None, **size):
    with VideoWriter(path, fps=fps, recipe=recipe) as film:
        for number in range(count):
            film.add(picture(number, **size))
    return path


def test_a_video_shows_its_pictures_and_then_holds_the_last_for_a_second(tmp_path, frames_of):
    frames = frames_of(write(tmp_path / "a.mp4"))
    assert len(frames) == 6 + FPS
    for number, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - picture(min(number, 5))).max() < 6
    assert read_timing(tmp_path / "a.mp4") == (26, 20.0)


@pytest.mark.parametrize(("width", "height"), [(33, 32), (32, 33), (33, 47), (1, 1)])
def test_odd_sizes_are_made_even_at_the_edge(tmp_path, frames_of, width, height):
    path = write(tmp_path / "a.mp4", width=width, height=height)
    (frame, *_) = frames_of(path, width=width + width % 2, height=height + height % 2)
    assert np.abs(frame.astype(int) - COLOURS[0]).max() < 6  # the added edge has the colour too


def test_a_video_plays_everywhere_and_starts_before_it_is_loaded(tmp_path):
    data = write(tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"avc1" in data
    said = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(tmp_path / "a.mp4")],
        capture_output=True,
        text=True,
    ).stderr
    assert "yuv420p(tv, bt709" in said


def test_a_video_of_nothing_is_an_error(tmp_path):
    with pytest.raises(VideoError, match="no frames"), VideoWriter(tmp_path / "a.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_pictures_of_another_size_are_an_error_and_leave_the_old_video(tmp_path):
    before = write(tmp_path / "a.mp4").read_bytes()
    film = VideoWriter(tmp_path / "a.mp4")
    film.add(picture(0))
    with pytest.raises(VideoError, match="the same size: 32×32, not 16×32"):
        film.add(picture(0, width=16))
    assert (tmp_path / "a.mp4").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def half_filmed(path):
    with VideoWriter(path) as film:
        film.add(picture(0))
        film.add(picture(1 // 0))


def test_an_error_in_the_block_is_that_error_and_leaves_no_video(tmp_path):
    with pytest.raises(ZeroDivisionError):
        half_filmed(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises((VideoError, StorageError), match="could not be"):
        write(tmp_path / "gone" / "a.mp4")


def test_a_missing_encoder_is_an_error_that_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "nothing"))
    with pytest.raises(VideoError, match="imageio-ffmpeg"):
        write(tmp_path / "a.mp4")


def test_an_encoder_that_dies_is_an_error_and_stops_nobody(tmp_path, monkeypatch):
    dying = tmp_path / "dying"
    dying.write_text("#!/bin/sh\nhead -c 5000 > /dev/null; echo out of paper >&2; exit 3\n")
    dying.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(dying))
    with pytest.raises(VideoError, match=r"“a.mp4” .*\(out of paper\)"):
        write(tmp_path / "a.mp4", 500, width=256, height=256)


def test_a_path_that_looks_like_an_option_or_an_address_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("-y.mp4")
    write("http:a's b.mp4")
    assert {path.name for path in tmp_path.iterdir()} == {"-y.mp4", "http:a's b.mp4"}


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("a.webm", b"\x1aE\xdf\xa3"),
        ("a.GIF", b"GIF89a"),
        ("a.webp", b"RIFF"),
        ("b.mp4", b"\0\0\0"),
    ],
)
def test_a_video_is_exported_by_its_suffix(tmp_path, name, beginning):
    export(write(tmp_path / "a.mp4"), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(beginning)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_exported_video_keeps_its_recipe_its_pictures_and_its_pace(tmp_path, frames_of):
    write(tmp_path / "a.mp4", recipe=a_recipe())
    export(tmp_path / "a.mp4", tmp_path / "b.mp4")
    assert read_metadata(tmp_path / "b.mp4") == a_recipe()
    assert read_timing(tmp_path / "b.mp4")[1] == 20
    shown = frames_of(tmp_path / "b.mp4")
    assert [int(np.abs(frame.astype(int) - picture(5)).max()) < 8 for frame in shown[:6]] == [
        False,
        False,
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({"fps": 10}, 0.6 + 1),
        ({"fps": 10, "hold": 3}, 0.6 + 3),
        ({"fps": 120, "hold": 0}, 0.1),  # more than viewers show: pictures are left out
        ({"seconds": 5}, 5),
        ({"seconds": 2, "hold": 0}, 2),
        ({"seconds": 3, "loop": True}, 3),
        ({"seconds": 3, "even": True, "loop": True, "captions": True, "hold": 0.5}, 3),
    ],
)
def test_an_exported_video_is_as_long_as_wanted(tmp_path, options, seconds):
    export(write(tmp_path / "a.mp4"), tmp_path / "b.mp4", ExportSettings(**options))
    count, rate = read_timing(tmp_path / "b.mp4")
    assert count / rate == pytest.approx(seconds, abs=0.06)
    assert rate <= 60


def test_a_video_in_no_known_format_is_an_error(tmp_path):
    with pytest.raises(VideoError, match=r"can be exported as .mp4, .webm, .webp, .gif, not “.avi”"):
        export(write(tmp_path / "a.mp4"), tmp_path / "b.avi")
    assert not (tmp_path / "b.avi").exists()


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"#EXTM3U\nhttp://example.org/a.ts\n"])
def test_what_is_no_video_cannot_be_exported(tmp_path, content):
    if content is not None:
        (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(VideoError):
        export(tmp_path / "a.mp4", tmp_path / "b.webm")
    assert not (tmp_path / "b.webm").exists()


def test_a_video_committed_in_parts_is_the_video_of_the_whole(tmp_path, frames_of):
    film = VideoRecording(tmp_path / "parts.mp4")
    for number in range(6):
        film.add(picture(number), step=number)
        if number in (0, 3):
            film.commit(picture(number), recipe=a_recipe())
    film.commit(picture(5))
    parts, whole = frames_of(tmp_path / "parts.mp4"), frames_of(write(tmp_path / "whole.mp4"))
    assert film.steps == read_video_metadata(tmp_path / "parts.mp4").steps == tuple(range(6))
    assert len(parts) == len(whole)
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(parts, whole, strict=True)) < 6


@pytest.mark.parametrize("kept", [1, 2, 4, 6])
@pytest.mark.parametrize("fps", [20, 30, 7])
def test_a_video_goes_on_after_exactly_the_pictures_that_are_kept(tmp_path, frames_of, kept, fps):
    path = write(tmp_path / "a.mp4", fps=fps)
    film = VideoRecording(path, fps=fps, steps=range(kept))
    film.add(picture(1), step=9)
    film.commit(picture(1))
    frames = frames_of(path)
    assert len(frames) == kept + 1 + fps
    expected = [picture(number) for number in range(kept)] + [picture(1)] * (1 + fps)
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(frames, expected, strict=True)) < 6


def test_what_was_not_committed_leaves_the_video_as_it_was(tmp_path, frames_of):
    path = write(tmp_path / "a.mp4")
    film = VideoRecording(path, steps=range(6))
    film.add(picture(0), step=6)
    film.abort()
    assert len(frames_of(path)) == 6 + FPS
    assert list(tmp_path.iterdir()) == [path]


def test_few_pictures_wait_for_the_encoder(tmp_path):
    encoder = Encoder(tmp_path / "a.mp4", fps=20)
    for number in range(100):
        encoder.add(picture(number, width=256, height=256))
        assert encoder._waiting.qsize() <= MAX_QUEUED_FRAMES
    encoder.finish()
    assert read_timing(tmp_path / "a.mp4")[0] == 100


@pytest.mark.parametrize("steps", [0, 1, 150, 299, 300, 301, 1000, 20_000])
def test_a_run_is_recorded_evenly_within_its_bound_and_with_both_ends(steps):
    filmed = [step for step in range(steps + 1) if is_recorded(step, steps)]
    assert len(filmed) == min(steps, MOST_FRAMES) + 1
    assert (filmed[0], filmed[-1]) == (0, steps)
    gaps = {b - a for a, b in zip(filmed, filmed[1:], strict=False)}
    assert len(gaps) <= 2
    assert max(gaps, default=1) - min(gaps, default=1) <= 1


def test_a_video_that_holds_nothing_has_a_picture_a_step_and_goes_on(tmp_path, frames_of):
    film = VideoRecording(tmp_path / "a.mp4", hold=0)
    for number in range(4):
        film.add(picture(number), step=number)
        film.commit(picture(number))
    film.commit(picture(3))
    film = VideoRecording(tmp_path / "a.mp4", hold=0, steps=range(3))
    film.add(picture(5), step=3)
    film.commit(picture(5))
    frames = frames_of(tmp_path / "a.mp4")
    assert len(frames) == 4
    expected = [picture(number) for number in (0, 1, 2, 5)]
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(frames, expected, strict=True)) < 6


def test_a_kept_video_is_near_its_pictures(tmp_path, frames_of):
    rows, columns = np.mgrid[0:32, 0:32] * 8
    soft = np.stack([rows, columns, 255 - rows], -1).astype(np.uint8)
    with VideoWriter(tmp_path / "a.mp4") as film:
        film.add(soft)
    error = np.abs(frames_of(tmp_path / "a.mp4")[0].astype(int) - soft).mean()
    assert error < 4


@pytest.mark.parametrize("name", ["b.gif", "b.webp"])
def test_an_odd_size_is_exported_as_it_was_painted_where_that_can_be(tmp_path, name):
    odd = a_recipe(width=33, height=47)
    write(tmp_path / "a.mp4", width=33, height=47, recipe=odd)
    export(tmp_path / "a.mp4", tmp_path / name)
    with Image.open(tmp_path / name) as shown:
        assert shown.size == (33, 47)
        assert shown.n_frames > 5


@pytest.mark.parametrize(
    ("name", "codec"), [("b.mp4", "h264 (High)"), ("b.webm", "vp9 (Profile 0)"), ("b.gif", "gif")]
)
def test_an_export_plays_everywhere(tmp_path, name, codec):
    export(
        write(tmp_path / "a.mp4", width=33, height=47, recipe=a_recipe(width=33, height=47)),
        tmp_path / name,
        ExportSettings(captions=True, seconds=2),
    )
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(tmp_path / name)]
    said = subprocess.run(command, capture_output=True, text=True).stderr
    assert f"Video: {codec}" in said
    assert "Duration: 00:00:02.0" in said
    if name != "b.gif":
        assert "yuv420p(tv, bt709" in said


def test_a_caption_stands_below_the_picture_and_says_words_and_step(tmp_path):
    recipe = a_recipe(prompts="a red fox ^ an owl", steps=5)
    export(
        write(tmp_path / "a.mp4", recipe=recipe),
        tmp_path / "b.gif",
        ExportSettings(captions=True, fps=10, hold=0),
    )
    with Image.open(tmp_path / "b.gif") as shown:
        pictures = [np.asarray(each.convert("RGB")) for each in ImageSequence.Iterator(shown)]
    assert pictures[0].shape[1] == 256  # wide enough to read
    assert pictures[0].shape[0] > 256
    bands = [each[256:] for each in pictures]
    assert all(band.min() < 60 and band.max() > 200 for band in bands)  # light letters on dark
    assert len({band.tobytes() for band in bands}) == 6  # every step says its own


def test_a_loop_ends_near_its_beginning(tmp_path, frames_of):
    export(write(tmp_path / "a.mp4"), tmp_path / "b.mp4", ExportSettings(seconds=3, loop=True, hold=0.5))
    frames = [frame.astype(int) for frame in frames_of(tmp_path / "b.mp4")]
    plain = np.abs(picture(5).astype(int) - frames[0]).mean()
    assert np.abs(frames[-1] - frames[0]).mean() < plain / 4


def test_few_pictures_are_in_memory_while_a_video_is_exported(tmp_path):
    write(tmp_path / "a.mp4", 200, width=256, height=256)
    tracemalloc.start()
    export(tmp_path / "a.mp4", tmp_path / "b.mp4", ExportSettings(even=True, loop=True))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 40 * 256 * 256 * 3


def test_an_export_tells_how_far_it_is_and_can_be_ended(tmp_path):
    told = list(export_with_progress(write(tmp_path / "a.mp4"), tmp_path / "b.gif", ExportSettings(hold=0)))
    assert told == [(done, 12) for done in range(1, 13)]  # a GIF is gone through twice
    unfinished = export_with_progress(tmp_path / "a.mp4", tmp_path / "c.mp4")
    next(unfinished)
    unfinished.close()
    assert len(list(tmp_path.iterdir())) == 2
