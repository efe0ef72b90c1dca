"""Videos as people have them: each frame is what a player shows."""

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.recipe.options import Options
from pixgen.studio.metadata.mp4 import read_timing
from pixgen.studio.metadata.picture_info import read_info
from pixgen.studio.video.ffmpeg import run
from pixgen.studio.video.journeys import plan_restyle
from pixgen.studio.video.recording import VideoRecording
from pixgen.studio.video.source import SourceVideo, VideoInfo, as_shown, probe

FILES = Path(__file__).parent.parent / "fixtures" / "files"


def first(path):
    return np.asarray(SourceVideo(path, fps=12)[0])


def make(path, *options, size="64x48", source="testsrc2="):
    """A small video that ffmpeg draws."""
    run(
        ("-f", "lavfi", "-i", f"{source}size={size}:rate=12:duration=0.5", *options, str(path)),
        path=path,
    )
    return path


def test_pixels_that_are_not_square_are_made_square():
    looked = probe(FILES / "pal.mp4", fps=12)
    assert (looked.width, looked.height, looked.frames) == (1024, 576, 24)
    recipe = plan_restyle(FILES / "pal.mp4", Options(prompt="a fox"))
    assert (recipe.width, recipe.height) == (176, 96)
    red = first(FILES / "pal.mp4").astype(int)
    ball = (red[..., 0] > 150) & (red[..., 1] < 90)
    across, down = ball.any(0).sum(), ball.any(1).sum()
    assert across == pytest.approx(down, rel=0.03)  # a circle


def test_hdr_has_the_colours_of_sdr():
    shown = first(FILES / "hlg.mp4").astype(int)
    assert np.abs(shown[72, 128] - (207, 30, 30)).max() <= 12
    assert np.abs(shown[5, 5] - (182, 223, 255)).max() <= 12


def test_a_mov_that_begins_with_another_box_is_read():
    assert probe(FILES / "qt.mov", fps=10).frames == 10
    assert first(FILES / "qt.mov").shape == (90, 160, 3)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
@pytest.mark.parametrize("tagged", [True, False])
def test_white_and_grey_of_hdr_stay_neutral_and_in_order(tmp_path, transfer, tagged):
    others = ("bt2020nc", "bt2020") if tagged else ("unknown", "unknown")
    tags = ("-colorspace", others[0], "-color_primaries", others[1], "-color_trc", transfer)
    path = make(
        tmp_path / "a.mp4", "-vf", f"format=yuv420p10le,setparams=color_trc={transfer}", *tags,
        "-color_range", "tv", "-c:v", "libx265", "-x265-params", "log-level=none:pools=1",
        source="color=c=0x606060:",
    )  # fmt: skip
    shown = first(path).astype(int)
    assert np.ptp(shown[24, 32]) <= 3
    assert 20 < shown[24, 32].mean() < 200


def test_what_is_transparent_stands_on_white(tmp_path):
    pictures = [Image.new("RGBA", (40, 40), (0, 0, 0, 0)) for _ in range(3)]
    for number, picture in enumerate(pictures):
        picture.paste((200, 30, 30, 255), (5 * number, 0, 5 * number + 10, 40))
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=80, disposal=2)
    shown = first(tmp_path / "a.gif")
    assert shown[20, 30].tolist() == [255, 255, 255]
    assert np.abs(shown[20, 5].astype(int) - (200, 30, 30)).max() <= 3


@pytest.mark.parametrize(("codec", "options"), [("libvpx-vp9", ()), ("libvpx", ("-auto-alt-ref", "0"))])
def test_a_transparent_webm_stands_on_white(tmp_path, codec, options):
    path = make(
        tmp_path / "a.webm", "-vf",
        "format=rgba,colorchannelmixer=aa=0,drawbox=x=0:w=32:h=48:color=0xD02020@1.0:t=fill:replace=1",
        "-c:v", codec, *options, "-pix_fmt", "yuva420p", source="color=red:",
    )  # fmt: skip
    shown = first(path).astype(int)
    assert np.abs(shown[20, 50] - (255, 255, 255)).max() <= 3
    assert np.abs(shown[20, 10] - (208, 32, 32)).max() <= 4


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_phones_video_is_turned_upright(tmp_path, turn):
    plain = make(tmp_path / "plain.mp4")
    turned = tmp_path / "turned.mp4"
    run(("-display_rotation", f"{turn}", "-i", str(plain), "-c", "copy", str(turned)), path=turned)
    expected = np.rot90(first(plain).astype(int), turn // 90)
    assert first(turned).shape == expected.shape
    assert np.abs(first(turned) - expected).mean() < 6


@settings(max_examples=12, deadline=None)
@given(
    across=st.integers(1, 64),
    down=st.integers(1, 64),
    size=st.sampled_from(["64x48", "48x64", "34x30"]),
)
def test_a_video_has_the_shape_that_its_pixels_give_it(tmp_path_factory, across, down, size):
    path = make(
        tmp_path_factory.mktemp("sar") / "a.mp4",
        "-vf",
        f"setsar={across}/{down}",
        "-c:v",
        "libx264",
        size=size,
    )
    looked = probe(path, fps=12, most=1)
    width, height = map(int, size.split("x"))
    wanted = width * across / (height * down)
    assert max(looked.width, looked.height) <= 1024
    rounded = 0.6 / min(looked.width, looked.height)  # each side, to a whole pixel
    assert looked.width / looked.height == pytest.approx(wanted, rel=rounded + 0.01)


@pytest.mark.parametrize(
    ("pixels", "height", "inside"),
    [
        ("yuv420p(progressive)", 1080, "in_color_matrix=bt709"),  # players do so
        ("yuv420p(tv, bt709, progressive)", 1080, None),
        ("yuv420p(progressive)", 576, None),
        ("rgb24", 1080, None),
        ("yuv420p10le(tv, bt2020nc/bt2020/smpte2084)", 1080, "tonemap"),
        (
            "yuv420p10le(tv, bt2020nc/unknown/arib-std-b67, progressive)",
            720,
            "setparams=colorspace=bt2020nc:color_primaries=bt2020,",
        ),
        ("yuv420p(tv, bt709/smpte432/bt709, progressive)", 720, "zscale=p=bt709"),
        ("yuv420p(tv, smpte170m, top first)", 576, "bwdif"),
    ],
)
def test_what_a_header_tells_decides_how_it_is_shown(pixels, height, inside):
    filters = as_shown(VideoInfo(1280, height, 1.0, "", pixels), side=1024)
    special = ("in_color_matrix", "zscale", "bwdif")
    assert (inside in filters) if inside else not any(each in filters for each in special)


def test_an_interlaced_video_has_no_combs(tmp_path):
    options = ("-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-crf", "5")
    weave = "tinterlace=mode=interleave_top,setfield=tff"
    path = make(tmp_path / "a.mp4", "-vf", weave, *options, size="96x96")
    shown = np.asarray(SourceVideo(path, fps=6)[1]).astype(int).mean(2)
    between = np.abs(np.diff(shown, axis=0)).mean()  # a comb differs from row to row
    assert between < 1.3 * np.abs(shown[2:] - shown[:-2]).mean()


def test_the_tags_of_a_mov_are_looked_for(tmp_path):
    from pixgen.errors import PictureError

    with pytest.raises(PictureError, match="contains no recipe"):
        read_info(FILES / "qt.mov")
    assert imageio_ffmpeg.count_frames_and_secs(FILES / "qt.mov")[0] == 10


@pytest.mark.parametrize(
    ("frames", "fps", "said"),
    [
        (24, 12, ""),
        (23, 12, ""),
        (12, 12, "first 1 s of the video's 2 s"),
        (1, 12, "first 0.0833 s of the"),
        (25, 12, ""),
    ],
)
def test_what_of_a_video_is_left_out_is_told_in_seconds(frames, fps, said):
    told = SourceVideo(FILES / "pal.mp4", fps=fps).left_out(frames)
    assert (said in told) if said else told == ""


def test_a_long_video_is_painted_over_as_far_as_the_steps_go(monkeypatch):
    monkeypatch.setattr("pixgen.studio.video.journeys.MOST_STEPS", 40)
    recipe = plan_restyle(FILES / "pal.mp4", Options(prompt="a fox"), every=4)
    assert recipe.steps == 40
    assert recipe.journey.frames(recipe.steps) == 10
    with pytest.raises(RecipeError, match="With 4 steps per frame, 1 to 10 frames"):
        plan_restyle(FILES / "pal.mp4", Options(prompt="a fox"), every=4, frames=11)


def test_a_sound_that_cannot_be_read_is_no_reason_to_lose_the_video(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(99))
    film = VideoRecording(tmp_path / "a.mp4", fps=12, hold=0, video=tmp_path / "broken.mp4")
    film.add(np.zeros((32, 32, 3), np.uint8), step=0)
    film.commit(np.zeros((32, 32, 3), np.uint8))
    assert read_timing(tmp_path / "a.mp4").frames == 1
    assert "no sound" in film.notice
