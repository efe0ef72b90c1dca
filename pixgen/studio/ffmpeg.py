"""Running ffmpeg: one command, an encoder that takes pictures one by one, or a reader of films."""

import queue
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from pixgen.errors import PixgenError, StorageError, VideoError
from pixgen.studio.storage import shown_name

AHEAD = 4  # pictures that may wait for the encoder: the painting goes on while it works
_OWN = ("-f", "mov")  # a film is read as an MP4, even if it is something else that names addresses
_LONGEST_WAIT = 120.0  # seconds for the last pictures to be encoded

# The colours are tagged as what they are converted to, or players guess.
VIDEO_COLOURS = (
    "-vf", "scale=out_color_matrix=bt709:out_range=tv", "-pix_fmt", "yuv420p",
    "-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
)  # fmt: skip


def h264(crf: int) -> tuple[str, ...]:
    """Options for an MP4 that plays everywhere: a lower ``crf`` is finer and larger.

    No B-frames: a film can be cut after any picture without encoding it anew. One thread: the cores
    paint.
    """
    return (
        *VIDEO_COLOURS, "-c:v", "libx264", "-preset", "veryfast", "-crf", f"{crf}", "-bf", "0",
        "-threads", "1", "-movflags", "+faststart", "-f", "mp4",
    )  # fmt: skip


KEPT = h264(14)  # a run's film: finer than players need, as other formats are made from it later


def run(arguments: Sequence[str], *, path: Path) -> str:
    """Run ffmpeg to write (or read) ``path``; what it prints. Raises VideoError, StorageError."""
    process = _start(arguments, stdin=subprocess.DEVNULL)
    printed, said = process.communicate()
    if process.returncode:
        raise _error(path, said)
    return printed.decode("utf-8", "replace")


def from_film(path: Path) -> tuple[str, ...]:
    """Arguments that make a film's file an input."""
    return (*_OWN, "-i", _file(path))


def from_picture(path: Path) -> tuple[str, ...]:
    """Arguments that make a PNG an input."""
    return ("-f", "png_pipe", "-i", _file(path))


def timing(path: Path) -> tuple[int, float]:
    """How many pictures a film has and how many a second. Raises VideoError."""
    arguments = (*_OWN, "-i", _file(path), "-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-")
    lines = run(arguments, path=path).splitlines()
    pictures = [line.split(",") for line in lines if not line.startswith("#")]
    base = next(
        (re.fullmatch(r"#tb 0: (\d+)/(\d+)", line) for line in lines if line.startswith("#tb 0")),
        None,
    )
    if base is None or not pictures:
        raise VideoError("“{name}” is no film that can be read.", name=path.name)
    return len(pictures), int(base[2]) / int(base[1]) / int(pictures[0][3])


def join(
    parts: Sequence[tuple[Path, float | None]], path: Path, *, tags: dict[str, str], folder: Path
) -> None:
    """Join films of one size and rate without encoding them anew, each up to a time in seconds.

    ``folder`` takes two small files in the meantime. Raises VideoError, StorageError.
    """
    lines = ["ffconcat version 1.0"]
    for part, seconds in parts:
        quoted = _file(part).removeprefix("file:").replace("'", r"'\''")
        lines += [f"file '{quoted}'"] + ([] if seconds is None else [f"outpoint {seconds:.6f}"])
    (folder / "list").write_text("\n".join(lines) + "\n", "utf-8")
    escaped = {name: re.sub(r"([=;#\\\n])", r"\\\1", text) for name, text in tags.items()}
    marked = [";FFMETADATA1", *(f"{name}={text}" for name, text in escaped.items())]
    (folder / "tags").write_text("\n".join(marked) + "\n", "utf-8")
    run(
        (
            "-f", "concat", "-safe", "0", "-i", _file(folder / "list"),
            "-f", "ffmetadata", "-i", _file(folder / "tags"), "-map", "0:v:0", "-map_metadata", "1",
            "-c", "copy", "-movflags", "+faststart", "-f", "mp4", _file(path),
        ),
        path=path,
    )  # fmt: skip


def tags(path: Path) -> dict[str, str]:
    """What a film says of itself, by the tag's name. Raises VideoError."""
    lines = run((*_OWN, "-i", _file(path), "-f", "ffmetadata", "-"), path=path)
    # A mark, a line break among them, that belongs to a text stands behind a backslash.
    found = re.findall(r"^([^=;#\n][^=\n]*)=((?:[^\\\n]|\\[\s\S])*)$", lines, re.MULTILINE)
    return {name: re.sub(r"\\([\s\S])", r"\1", text) for name, text in found}


def pictures(
    path: Path, *, source: Sequence[str] = _OWN, filters: str = "null"
) -> Iterator[np.ndarray]:
    """The pictures of a film one by one, ``(H, W, 3)`` uint8; only the newest is in memory.

    Args:
        source: ffmpeg's options of the input, that say what kind of file is expected.
        filters: what ffmpeg does to each.

    Close the iterator to stop early. Raises VideoError.
    """
    arguments = (
        *source, "-i", _file(path), "-map", "0:v:0", "-vf", filters, "-fps_mode", "passthrough",
        "-threads", "1", "-pix_fmt", "rgb24", "-c:v", "ppm", "-f", "image2pipe", "-",
    )  # fmt: skip
    with tempfile.TemporaryFile() as complaints:  # a pipe that nobody reads would fill up
        process = _start(arguments, stdin=subprocess.DEVNULL, stderr=complaints)
        try:
            while (picture := _next_picture(process.stdout)) is not None:
                yield picture
            if process.wait():
                complaints.seek(0)
                raise _error(path, complaints.read())
        finally:
            process.kill()
            process.communicate()


def _next_picture(pipe: BinaryIO) -> np.ndarray | None:
    """The next of a stream of PPM files; None at its end."""
    if pipe.readline() != b"P6\n":
        return None
    width, height = map(int, pipe.readline().split())
    pipe.readline()  # the largest value, 255
    data = pipe.read(width * height * 3)
    if len(data) < width * height * 3:
        return None
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)


class Encoder:
    """A film of pictures that come one by one; at most ``AHEAD`` of them are held in memory.

    Args:
        path: a new file; it is no film until ``finish`` has returned.
        fps: pictures a second.
        options: ffmpeg's of the output.
        even: whether odd sides are made even by repeating the last row or column: H.264 has no others.
        beside: arguments of one more input, if the options speak of one.

    Raises VideoError and StorageError from every method: the encoder works beside its caller, so an
    error may be of an earlier picture.
    """

    def __init__(
        self, path: Path, *, fps: float, options: Sequence[str] = KEPT, even: bool = True,
        beside: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.path, self.pictures = path, 0
        self._fps, self._options, self._even, self._beside = fps, options, even, beside
        self._shape: tuple[int, ...] | None = None
        self._process: subprocess.Popen | None = None
        self._feeder: threading.Thread | None = None
        self._waiting: queue.Queue[np.ndarray | None] = queue.Queue(AHEAD)
        self._broken = False

    def add(self, picture: np.ndarray) -> None:
        """Append ``(H, W, 3)`` uint8."""
        if self._shape is None:
            self._shape = picture.shape
            self._begin()
        if picture.shape != self._shape:
            raise VideoError(
                "All pictures of a film have one size: {expected}, not {given}.",
                expected=_size(self._shape),
                given=_size(picture.shape),
            )
        if self._broken:
            self.finish()
        self._waiting.put(_even(picture) if self._even else np.ascontiguousarray(picture))
        self.pictures += 1

    def finish(self) -> None:
        """Encode what waits and close the file."""
        if self._process is None:
            raise VideoError("The film “{name}” has no pictures.", name=shown_name(self.path))
        process, said = self._process, self._end(_LONGEST_WAIT)
        if said is None:
            raise VideoError(
                "The film “{name}” could not be written: the encoder hangs.",
                name=shown_name(self.path),
            )
        if process.returncode or self._broken:
            raise _error(self.path, said)

    def abort(self) -> None:
        """Stop at once; the file is of no use."""
        if self._process is not None:
            self._process.kill()
            self._end(None)

    def _begin(self) -> None:
        height, width = (side + side % 2 * self._even for side in self._shape[:2])
        arguments = (
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}",
            "-framerate", f"{self._fps:.6g}", "-i", "pipe:0", *self._beside, *self._options, _file(self.path),
        )  # fmt: skip
        self._process = _start(arguments, stdin=subprocess.PIPE)
        self._feeder = threading.Thread(
            target=self._feed, args=(self._process.stdin,), name="film", daemon=True
        )
        self._feeder.start()

    def _feed(self, pipe: BinaryIO) -> None:
        """Hand the waiting pictures over. After an error they are taken and dropped: nobody waits."""
        while (picture := self._waiting.get()) is not None:
            if not self._broken:
                try:
                    pipe.write(picture)
                except (OSError, ValueError):
                    self._broken = True

    def _end(self, seconds: float | None) -> bytes | None:
        """Let the process end; what it complained of, or None if it had to be killed."""
        process, self._process = self._process, None
        self._waiting.put(None)
        self._feeder.join()
        try:
            return process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None


def _start(
    arguments: Sequence[str], *, stdin: int, stderr: int | IO[bytes] = subprocess.PIPE
) -> subprocess.Popen:
    import imageio_ffmpeg

    try:
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-nostdin",
            "-hide_banner",
            "-v",
            "error",
            "-y",
            *arguments,
        ]
        # A session of its own: the Ctrl-C that stops a painting must not kill its film.
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    except (OSError, RuntimeError) as error:
        raise VideoError(
            "There is no ffmpeg for films: install the package imageio-ffmpeg."
        ) from error


def _error(path: Path, said: bytes) -> PixgenError:
    name = shown_name(path)
    text = said.decode("utf-8", "replace").replace(str(path.absolute()), name).strip()
    if "No space left" in text or "quota exceeded" in text:
        return StorageError(
            "The disk is full: the film “{name}” could not be saved. Make room and try again.",
            name=name,
        )
    reason = f" ({text.splitlines()[-1].strip()})" if text else ""
    return VideoError(
        "The film “{name}” could not be written or read{reason}.", name=name, reason=reason
    )


def _file(path: Path) -> str:
    """A path that ffmpeg takes for a path, not for an option or a protocol."""
    return f"file:{path.absolute()}"


def _even(picture: np.ndarray) -> np.ndarray:
    height, width, _ = picture.shape
    if height % 2 or width % 2:
        picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(picture)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"
