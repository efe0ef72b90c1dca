"""Decodes the frames of a video one by one through imageio's ffmpeg, as a player would show them."""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixgen.studio.video.ffmpeg import file_url, imageio_ffmpeg, missing_ffmpeg, video_error

OWN = ("-f", "mov")  # reads the file as an MP4 only, so that no playlist can name other addresses

_HDR = ("arib-std-b67", "smpte2084")  # HLG and PQ
_WIDE = ("bt2020", "smpte432", "smpte431")  # primaries beyond BT.709
_TRANSPARENT = ("bgra", "rgba", "argb", "abgr", "yuva", "gbrap", "pal8", "ya8")
_ON_WHITE = (
    "format=rgba,split[over][under];[under]drawbox=color=white:thickness=fill:replace=1[white];"
    "[white][over]overlay=format=auto"
)
_HD = 720  # rows, from which players take an untagged video for BT.709
# Reference white is 203 cd/m² (ITU-R BT.2408); brighter highlights are compressed into the last
# tenth. Exact curves: the approximate ones of zscale leave out the luminance in HLG's OOTF.
_TO_SDR = (
    "zscale=t=linear:npl=203:agamma=false,format=gbrpf32le,zscale=p=bt709,"
    "tonemap=mobius:param=0.9:desat=0,zscale=t=iec61966-2-1:m=gbr:r=pc:agamma=false"
)
_TO_BT709 = "zscale=p=bt709:m=bt709:r=tv"
_UNREADABLE = (OSError, RuntimeError, ValueError, IndexError, AttributeError, AssertionError)


@dataclass(frozen=True)
class VideoInfo:
    """The header of a video.

    Args:
        width, height: of the frames in pixels, after the filters.
        seconds: the length; 0 if unknown.
        sound: the codec of its first audio track, ``""`` if it has none.
        pixels: ffmpeg's description of pixel format, range, colours and field order.
    """

    width: int
    height: int
    seconds: float
    sound: str
    pixels: str


def read_info(path: Path, *, source: Sequence[str] = OWN, filters: str = "null") -> VideoInfo:
    """Read the header of a video; arguments as for ``read_frames``. Raises VideoError."""
    with closing(_reading(path, source, filters)) as frames:
        meta = _next(frames, path)
    width, height = meta["size"]
    sound, pixels = meta.get("audio_codec", ""), meta.get("pix_fmt", "")
    return VideoInfo(width, height, meta["duration"], sound, pixels)


def read_frames(
    path: Path, *, source: Sequence[str] = OWN, filters: str = "null"
) -> Generator[np.ndarray, None, None]:
    """Yield the frames of a video, ``(H, W, 3)`` uint8; one at a time is in memory.

    Args:
        source: ffmpeg's input options, which name the expected format.
        filters: ffmpeg's filters.

    Close the iterator to stop early. Raises VideoError.
    """
    with closing(_reading(path, source, filters)) as frames:
        width, height = _next(frames, path)["size"]
        while (data := _next(frames, path)) is not None:
            yield np.frombuffer(data, np.uint8).reshape(height, width, 3)


def as_shown(info: VideoInfo, *, side: int) -> str:
    """The ffmpeg filters that turn frames into RGB as a player shows them.

    They make pixels square, fit the frame within ``side`` pixels, convert HDR (HLG, PQ) and wide gamuts to
    BT.709, put transparent videos on white, and deinterlace. ffmpeg itself applies the rotation.

    Args:
        info: the header of the video without filters.
    """
    filters = ["bwdif=mode=send_frame:deint=interlaced"] if " first" in info.pixels else []
    if info.pixels.startswith(_TRANSPARENT):
        filters.append(_ON_WHITE)
    across, down = "iw*max(1,sar)", "ih*max(1,1/sar)"
    factor = f"min(1,{side}/max({across},{down}))"
    matrix, primaries, transfer = _colours(info.pixels)
    untagged = matrix == "unknown" and info.pixels.startswith("yuv") and info.height >= _HD
    filters.append(
        f"scale=w='max(1,trunc({across}*{factor}+0.5))':h='max(1,trunc({down}*{factor}+0.5))'"
        + (":in_color_matrix=bt709" if untagged else "")
    )
    filters.append("setsar=1")
    if transfer in _HDR:
        filters += [_tags(matrix, primaries, "bt2020nc", "bt2020"), _TO_SDR]
    elif primaries in _WIDE:
        filters += [_tags(matrix, primaries, "bt709", primaries), _TO_BT709]
    return ",".join([*filters, "format=rgb24"])


def _tags(matrix: str, primaries: str, usual_matrix: str, usual_primaries: str) -> str:
    """Sets missing colour tags, without which zscale fails."""
    matrix = usual_matrix if matrix == "unknown" else matrix
    primaries = usual_primaries if primaries == "unknown" else primaries
    return f"setparams=colorspace={matrix}:color_primaries={primaries}"


def _colours(pixels: str) -> tuple[str, str, str]:
    """Matrix, primaries and transfer by ffmpeg's names, of which there are three, or one for all."""
    if match := re.search(r"([\w-]+)/([\w-]+)/([\w-]+)", pixels):
        return match[1], match[2], match[3]
    inside = re.findall(r"[\w.-]+", pixels.partition("(")[2])
    named = next((each for each in inside if each.startswith(("bt", "smpte"))), "unknown")
    return named, named, named


def _reading(path: Path, source: Sequence[str], filters: str) -> Generator[Any, None, None]:
    """imageio's reader: yields the header as a dictionary, then the bytes of each frame."""
    wanted = ("-map", "0:v:0", "-vf", filters, "-fps_mode", "passthrough", "-threads", "1")
    return imageio_ffmpeg().read_frames(
        file_url(path),
        input_params=["-hide_banner", "-nostats", *source],
        output_params=list(wanted),
    )


def _next(frames: Iterator[Any], path: Path) -> Any:
    """The next item: header or frame; None at the end."""
    try:
        return next(frames, None)
    except _UNREADABLE as error:
        if getattr(error, "errno", None):  # from the system: ffmpeg could not be started
            raise missing_ffmpeg() from error
        raise video_error(path, str(error)) from error
