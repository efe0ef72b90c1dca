"""Source videos to paint over: checked, limited in size, read frame by frame and copied into the run.

Frames are decoded one by one through imageio's ffmpeg, as a player would show them.
"""

import hashlib
import re
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixgen.errors import VideoError
from pixgen.images import LARGEST_UPLOAD
from pixgen.messages import _
from pixgen.studio.metadata.mp4 import is_quicktime
from pixgen.studio.storage import atomic_write, storage_errors
from pixgen.studio.video.ffmpeg import Sound, file_url, imageio_ffmpeg, missing_ffmpeg, video_error

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
MOST_FRAMES = 20_000  # as many as the most steps of a run
_LARGEST_SIDE = 1024  # pixels; larger videos are scaled down
# Allowed formats besides MP4 and MOV, by their first bytes. Naming the format and the protocols keeps
# ffmpeg from reading playlists, which could name other files.
_KINDS = (("matroska", b"\x1aE\xdf\xa3"), ("gif", b"GIF8"))
# In WebM: an AlphaMode of 1, and ffmpeg's decoders that read it, by the codec's name there.
_ALPHA_MODE, _ALPHA_DECODERS = b"\x53\xc0\x81\x01", ((b"V_VP9", "libvpx-vp9"), (b"V_VP8", "libvpx"))
_TRACKS_WITHIN = 2**17  # bytes in which a file describes its tracks
_BOUNDS = ("-protocol_whitelist", "file", "-max_pixels", "40000000")


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
    with closing(_open_reader(path, source, filters)) as frames:
        meta = _next_item(frames, path)
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
    with closing(_open_reader(path, source, filters)) as frames:
        width, height = _next_item(frames, path)["size"]
        while (data := _next_item(frames, path)) is not None:
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
        filters += [_missing_colour_tags(matrix, primaries, "bt2020nc", "bt2020"), _TO_SDR]
    elif primaries in _WIDE:
        filters += [_missing_colour_tags(matrix, primaries, "bt709", primaries), _TO_BT709]
    return ",".join([*filters, "format=rgb24"])


def _missing_colour_tags(matrix: str, primaries: str, usual_matrix: str, usual_primaries: str) -> str:
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


def _open_reader(path: Path, source: Sequence[str], filters: str) -> Generator[Any, None, None]:
    """imageio's reader: yields the header as a dictionary, then the bytes of each frame."""
    wanted = ("-map", "0:v:0", "-vf", filters, "-fps_mode", "passthrough", "-threads", "1")
    return imageio_ffmpeg().read_frames(
        file_url(path),
        input_params=["-hide_banner", "-nostats", *source],
        output_params=list(wanted),
    )


def _next_item(frames: Iterator[Any], path: Path) -> Any:
    """The next item: header or frame; None at the end."""
    try:
        return next(frames, None)
    except _UNREADABLE as error:
        if getattr(error, "errno", None):  # from the system: ffmpeg could not be started
            raise missing_ffmpeg() from error
        raise video_error(path, str(error)) from error


@dataclass(frozen=True)
class VideoSummary:
    """The size of a video in square pixels, and its number of frames at the requested rate."""

    width: int
    height: int
    frames: int


def probe(path: Path, *, fps: float, most: int = MOST_FRAMES) -> VideoSummary:
    """Measure the size of a video and its number of frames at a rate, counting at most ``most``.

    Raises VideoError if it is not a video, or too large.
    """
    source = _source(path)
    size = read_info(path, source=source, filters=_filters(path, fps))
    # Frames are only counted, so each is read as one pixel.
    with closing(read_frames(path, source=source, filters=f"fps={fps:.6g},scale=1:1")) as pictures:
        frames = sum(1 for _number, _frame in zip(range(most), pictures, strict=False))
    if not frames:
        raise _empty(path)
    return VideoSummary(size.width, size.height, frames)


@dataclass(frozen=True)
class Opening:
    """The first frame of a video as a player shows it, the video's size in square pixels, and its length."""

    frame: Image.Image
    width: int
    height: int
    seconds: float


def read_opening(path: Path, *, longest: float) -> Opening:
    """Read the opening of a video that may take at most ``longest`` seconds. Raises VideoError."""
    seconds = _read_header(path).seconds or probe(path, fps=1, most=round(longest) + 2).frames
    if seconds > longest:
        raise VideoError(
            "“{name}” is too long: at most {limit} minutes.", name=path.name, limit=round(longest / 60)
        )
    frame = SourceVideo(path, fps=1)[0]
    return Opening(frame, *frame.size, seconds)


class SourceVideo:
    """The frames of a video at a rate, by index. One is in memory at a time; going back restarts the decoder.
    Raises VideoError."""

    def __init__(self, path: Path, *, fps: float) -> None:
        self._path, self._fps = path, fps
        self._pictures: Iterator[np.ndarray] = iter(())
        self._number = -1
        self._newest: np.ndarray | None = None

    def __getitem__(self, frame: int) -> Image.Image:
        """A frame as a picture; the last one for larger numbers."""
        if self._newest is None or frame < self._number:
            self._pictures, self._number = self._begin(), -1
        while self._number < frame:
            picture = next(self._pictures, None)
            if picture is None:
                break
            self._newest, self._number = picture, self._number + 1
        if self._newest is None:
            raise _empty(self._path)
        return Image.fromarray(self._newest)

    def as_file(self) -> tuple[str, bytes, float]:
        """The file's name and content, and the rate: what another machine needs to open the same video."""
        return self._path.name, self._path.read_bytes(), self._fps

    def left_out(self, frames: int) -> str:
        """A sentence about the part of the video that so many frames leave out; empty if they cover it."""
        painted, whole = frames / self._fps, _read_header(self._path).seconds
        if not whole:  # the header has no length
            found = probe(self._path, fps=self._fps, most=frames + 2).frames
            return (
                ""
                if found <= frames + 1
                else _(
                    "Only the first {painted} of the video will be restyled ({frames} frames). Choose "
                    "fewer frames per second to cover more.",
                    painted=_duration(painted),
                    frames=frames,
                )
            )
        if whole - painted < 1.5 / self._fps:
            return ""
        return _(
            "Only the first {painted} of the video's {whole} will be restyled ({frames} frames). Choose "
            "fewer frames per second to cover more.",
            whole=_duration(whole),
            painted=_duration(painted),
            frames=frames,
        )

    def _begin(self) -> Iterator[np.ndarray]:
        return read_frames(self._path, source=_source(self._path), filters=self._filters)

    @cached_property
    def _filters(self) -> str:
        return _filters(self._path, self._fps)


def keep_video(path: Path, folder: Path) -> str:
    """Copy a video into ``folder``, under the hash of its content; returns the path there. Raises
    VideoError, StorageError."""
    _kind(path)
    return keep_file(path, folder, name="video")


def keep_file(path: Path, folder: Path, *, name: str) -> str:
    """Copy a file into ``folder`` as ``name`` with its suffix, under the hash of its content; returns the path
    there. Raises StorageError."""
    with storage_errors(path):
        with path.open("rb") as file:
            content = hashlib.sha256()
            while chunk := file.read(2**20):
                content.update(chunk)
    kept = f"{content.hexdigest()}/{name}{path.suffix.lower()[:8]}"
    with storage_errors(folder / kept):
        (folder / kept).parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / kept) as temporary:
        shutil.copyfile(path, temporary)
    return kept


def find_sound(path: Path) -> Sound | None:
    """The sound of a video; None if it has none. Raises VideoError."""
    codec = _read_header(path).sound
    return Sound(path, _source(path), codec) if codec else None


def _duration(seconds: float) -> str:
    """``4.5 s``, ``9:10`` or ``1:02:03``."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _read_header(path: Path) -> VideoInfo:
    return read_info(path, source=_source(path))


def _filters(path: Path, fps: float) -> str:
    return f"fps={fps:.6g},{as_shown(_read_header(path), side=_LARGEST_SIDE)}"


def _source(path: Path) -> tuple[str, ...]:
    kind = _kind(path)
    return (*_BOUNDS, *_alpha_decoder(path, kind), "-f", kind)


def _alpha_decoder(path: Path, kind: str) -> tuple[str, ...]:
    """ffmpeg's option for a WebM with transparency, which its own decoders of VP8 and VP9 do not read."""
    if kind != "matroska":
        return ()
    with path.open("rb") as file:
        head = file.read(_TRACKS_WITHIN)
    if _ALPHA_MODE not in head:
        return ()
    return next((("-c:v", decoder) for codec, decoder in _ALPHA_DECODERS if codec in head), ())


def _empty(path: Path) -> VideoError:
    return VideoError("“{name}” has no frames: choose another video.", name=path.name)


def _kind(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_UPLOAD:
            raise VideoError(
                "“{name}” is too large: at most {limit} MB.",
                name=path.name,
                limit=LARGEST_UPLOAD // 2**20,
            )
        with path.open("rb") as file:
            head = file.read(16)
    except (OSError, ValueError) as error:
        raise VideoError("“{name}” cannot be read: check that the video is there.", name=path.name) from error
    if is_quicktime(head):
        return "mov"
    for kind, mark in _KINDS:
        if head.startswith(mark):
            return kind
    raise VideoError(
        "“{name}” is not a video that can be read: use MP4, MOV, WebM, MKV or GIF.", name=path.name
    )
