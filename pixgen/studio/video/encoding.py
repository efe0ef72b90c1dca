"""Encodes frames one by one into a video or an animated picture, through imageio's ffmpeg."""

import queue
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pixgen.errors import PixgenError, VideoError
from pixgen.studio.metadata.containers import is_finished
from pixgen.studio.storage import display_name, remove_file, storage_error, temporary_path
from pixgen.studio.video.ffmpeg import file_url, find_failure, imageio_ffmpeg, missing_ffmpeg, video_error

MAX_QUEUED_FRAMES = 4  # frames that may wait for the encoder, which works while the job paints
_LONGEST_WAIT = 120.0  # seconds for the last frames to be encoded
_LONGEST_ABORT = 10.0  # seconds to wait for a hanging encoder in ``abort``
_ROOM = 2**20  # bytes of a test file that shows whether the disk is full


@dataclass(frozen=True)
class Encoding:
    """How frames are encoded.

    Args:
        codec: ffmpeg's encoder.
        pixels: its pixel format.
        options: ffmpeg's output options.
        even: whether odd sides are made even by repeating the last row or column.
    """

    codec: str
    pixels: str
    options: tuple[str, ...]
    even: bool = False


# Colours are converted and tagged, or players guess. One thread, as the other cores paint.
_BT709 = (
    "-vf", "scale=out_color_matrix=bt709:out_range=tv", "-color_range", "tv", "-colorspace", "bt709",
    "-color_primaries", "bt709", "-color_trc", "bt709", "-threads", "1",
)  # fmt: skip


def h264(crf: int) -> Encoding:
    """An MP4 that plays everywhere: a lower ``crf`` is finer and larger.

    Without B-frames, a video can be cut after any frame without encoding it again.
    """
    options = (
        *_BT709, "-preset", "veryfast", "-crf", f"{crf}", "-bf", "0",
        "-movflags", "+faststart", "-f", "mp4",
    )  # fmt: skip
    return Encoding("libx264", "yuv420p", options, even=True)


RECORDING = h264(14)  # a run's video: finer than players need, as exports are made from it
VP9 = Encoding(
    "libvpx-vp9",
    "yuv420p",
    (*_BT709, "-crf", "24", "-b:v", "0", "-deadline", "good", "-cpu-used", "4", "-f", "webm"),
    even=True,
)
WEBP = Encoding("libwebp_anim", "bgra", ("-quality", "80", "-loop", "0", "-f", "webp"))
# A GIF's palette is computed in a separate pass: in a single pass, ffmpeg holds every frame in memory.
PALETTE = Encoding("png", "rgba", ("-vf", "palettegen=stats_mode=full", "-f", "image2", "-update", "1"))


def gif(palette: Path) -> Encoding:
    """A GIF in the colours of a palette, which is a PNG.

    Ordered dithering does not change where nothing moves, which halves the size of the file.
    """
    # Quoted for the option, and again for the filter graph.
    name = str(palette.absolute()).replace("\\", "/").replace("'", r"\'").replace(":", r"\:")
    quoted = "'" + name.replace("'", r"'\''") + "'"
    graph = f"movie={quoted}[p];[0:v][p]paletteuse=dither=bayer:bayer_scale=4:diff_mode=rectangle"
    return Encoding("gif", "pal8", ("-filter_complex", graph, "-loop", "0", "-f", "gif"))


def smoothed(encoding: Encoding, fps: float, *, seconds: float) -> Encoding:
    """An encoding with frames in between, up to a rate: ffmpeg estimates how blocks of the picture move.

    Args:
        seconds: the length; the filter leaves the last frames out, so they are repeated before it and cut after it.
    """
    graph = (
        f"tpad=stop=2:stop_mode=clone,minterpolate=fps={fps:.6g}:mi_mode=mci:mc_mode=aobmc:vsbmc=1,"
        f"trim=end={seconds:.6f}"
    )
    options = list(encoding.options)
    if "-vf" in options:
        options[options.index("-vf") + 1] = f"{graph},{options[options.index('-vf') + 1]}"
    else:
        options = ["-vf", graph, *options]
    return replace(encoding, options=tuple(options))


class Encoder:
    """Encodes frames on a background thread; at most ``MAX_QUEUED_FRAMES`` are held in memory.

    Args:
        path: a new file, which is complete when ``finish`` returns.
        fps: frames a second.

    Every method raises VideoError and StorageError, possibly for an earlier frame.
    """

    def __init__(self, path: Path, *, fps: float, encoding: Encoding = RECORDING) -> None:
        self.path, self.fps, self.frames = path, fps, 0
        self._encoding = encoding
        self._shape: tuple[int, ...] = ()  # of the first frame
        self._feeder: threading.Thread | None = None
        self._waiting: queue.Queue[np.ndarray | None] = queue.Queue(MAX_QUEUED_FRAMES)
        self._failed = self._aborted = False
        self._hangs = False

    def add(self, frame: np.ndarray) -> None:
        """Append ``(H, W, 3)`` uint8."""
        if not self._shape:
            self._shape = frame.shape
            self._begin()
        if frame.shape != self._shape:
            raise VideoError(
                "All frames of a video must have the same size: {expected}, not {given}.",
                expected=_size(self._shape),
                given=_size(frame.shape),
            )
        if self._failed:
            self.finish()
        self._waiting.put(_even(frame) if self._encoding.even else np.ascontiguousarray(frame))
        self.frames += 1

    def finish(self) -> None:
        """Encode the waiting frames and close the file."""
        if self._feeder is None:
            raise VideoError("The video “{name}” has no frames.", name=display_name(self.path))
        self._end()
        if self._hangs:
            raise VideoError(
                "The video “{name}” could not be written: the encoder does not respond.",
                name=display_name(self.path),
            )
        if self._failed or not _is_complete(self.path):
            raise self._error()

    def abort(self) -> None:
        """Drop the waiting frames and stop; the file is incomplete."""
        self._aborted = True
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        self._end(seconds=_LONGEST_ABORT)

    def _begin(self) -> None:
        encoding, (width, height) = self._encoding, self._sides()
        writer = imageio_ffmpeg().write_frames(
            file_url(self.path),
            (width, height),
            fps=self.fps,
            codec=encoding.codec,
            pix_fmt_out=encoding.pixels,
            quality=None,
            macro_block_size=1,
            ffmpeg_log_level="quiet",
            ffmpeg_timeout=_LONGEST_WAIT,
            output_params=list(encoding.options),
            input_params=["-r", f"{self.fps:.6g}"],  # older ones round it to two places
        )
        try:
            writer.send(None)
        except OSError as error:
            raise missing_ffmpeg() from error
        self._feeder = threading.Thread(target=self._feed, args=(writer,), name="video encoder", daemon=True)
        self._feeder.start()

    def _feed(self, writer: Generator[None, np.ndarray, None]) -> None:
        """Pass waiting frames to ffmpeg. After an error they are dropped, so that ``add`` never blocks."""
        while (frame := self._waiting.get()) is not None:
            if not (self._failed or self._aborted):
                try:
                    writer.send(frame)
                except (OSError, ValueError, StopIteration):
                    self._failed = True
        began = time.monotonic()
        writer.close()
        self._hangs = time.monotonic() - began >= _LONGEST_WAIT

    def _end(self, *, seconds: float | None = None) -> None:
        """End the feeder thread, and ffmpeg with it; wait at most ``seconds``."""
        feeder, self._feeder = self._feeder, None
        if feeder is not None:
            self._waiting.put(None)
            feeder.join(seconds)

    def _error(self) -> PixgenError:
        """Find out why it failed: imageio does not keep ffmpeg's messages."""
        probe = temporary_path(self.path)
        try:
            probe.write_bytes(bytes(_ROOM))
        except OSError as error:
            return storage_error(self.path, error)
        finally:
            remove_file(probe)
        encoding = self._encoding
        stderr = find_failure(encoding.codec, encoding.options, self.path, size=self._sides())
        return video_error(self.path, stderr)

    def _sides(self) -> tuple[int, int]:
        height, width = (side + side % 2 * self._encoding.even for side in self._shape[:2])
        return width, height


def _is_complete(path: Path) -> bool:
    try:
        return is_finished(path)
    except OSError:
        return False


def _even(frame: np.ndarray) -> np.ndarray:
    height, width, _ = frame.shape
    if height % 2 or width % 2:
        frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(frame)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"
