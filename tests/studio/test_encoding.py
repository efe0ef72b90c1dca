"""Frames encoded through imageio: what a finished file is, and what goes wrong."""

import resource
from dataclasses import replace

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pixgen.errors import PixgenError, StorageError, VideoError
from pixgen.studio.metadata.containers import is_finished
from pixgen.studio.metadata.mp4 import has_sound, read_timing
from pixgen.studio.video.encoding import PALETTE, RECORDING, VP9, WEBP, Encoder, gif
from pixgen.studio.video.source import read_frames, read_info


def encode(path, encoding, *, count=5, fps=10):
    encoder = Encoder(path, fps=fps, encoding=encoding)
    try:
        for number in range(count):
            encoder.add(np.full((16, 24, 3), 25 * number, np.uint8))
        encoder.finish()
    finally:
        encoder.abort()
    return path


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A small video in each encoding, whose palette lies below a folder with an awkward name."""
    folder = tmp_path_factory.mktemp("it's a: [strange], folder; ")
    palette = encode(folder / "palette.png", PALETTE)
    encodings = {"a.mp4": RECORDING, "a.webm": VP9, "a.webp": WEBP, "a.gif": gif(palette)}
    return [palette, *(encode(folder / name, each) for name, each in encodings.items())]


def test_a_video_that_was_written_to_its_end_is_finished(videos):
    assert [is_finished(path) for path in videos] == [True] * 5


@settings(max_examples=40, deadline=None)
@given(part=st.floats(0, 1, exclude_max=True), which=st.integers(0, 4))
@example(part=0.0625, which=2)  # within the length of a WebM's segment
def test_a_video_that_was_cut_off_anywhere_is_not_finished(videos, tmp_path_factory, part, which):
    data = videos[which].read_bytes()
    path = tmp_path_factory.mktemp("cut") / "cut"
    path.write_bytes(data[: int(part * len(data))])
    assert not is_finished(path)


@pytest.mark.parametrize("fps", [7, 12.5, 29.97])
def test_frames_and_rate_are_those_that_a_decoder_finds(tmp_path, fps):
    path = encode(tmp_path / "a.mp4", RECORDING, count=9, fps=fps)
    timing = read_timing(path)
    assert timing.frames == imageio_ffmpeg.count_frames_and_secs(path)[0] == 9
    assert timing.fps == pytest.approx(fps, rel=1e-4)
    assert not has_sound(path)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
def test_what_is_no_mp4_is_an_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("none") / "a.mp4"
    path.write_bytes(b"\0\0\0\x20ftypisom" + data)
    with pytest.raises(VideoError):
        read_timing(path)


def test_a_full_disk_is_told_as_one(tmp_path):
    encoder = Encoder(tmp_path / "a.mp4", fps=10)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
    try:
        for number in range(5):
            encoder.add(np.full((64, 64, 3), 50 * number, np.uint8))
        with pytest.raises(StorageError, match="The disk is full"):
            encoder.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        encoder.abort()


def test_an_encoder_that_ffmpeg_lacks_is_told(tmp_path):
    with pytest.raises(PixgenError, match="Encoder not found"):
        encode(tmp_path / "a.mp4", replace(RECORDING, codec="libx999"))


def test_reading_and_writing_print_nothing(tmp_path, capfd, caplog):
    path = encode(tmp_path / "a.mp4", RECORDING)
    (frame, *_) = read_frames(path, filters="scale=8:6")
    assert frame.shape == (6, 8, 3)
    info = read_info(path)
    assert (info.width, info.height, info.seconds, info.sound) == (24, 16, 0.5, "")
    with pytest.raises(PixgenError):
        encode(tmp_path / "gone" / "a.mp4", RECORDING)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
