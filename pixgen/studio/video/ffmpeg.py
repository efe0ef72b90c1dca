"""Runs ffmpeg as a process, for what imageio cannot do.

imageio encodes and decodes frames. It can neither join files without encoding them again, nor write the
tags that carry a recipe, nor add a sound; and it does not report why ffmpeg failed.
"""

import logging
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from pixgen.errors import PixgenError, StorageError, VideoError
from pixgen.studio.storage import display_name

_AAC = ("-c:a", "aac", "-b:a", "160k")
_OPUS = ("-c:a", "libopus", "-b:a", "128k")
_EMPTY_WORDS = ("Conversion failed!", "frame=")  # last lines of ffmpeg without a reason
_COPIED = ("aac", "mp3")  # codecs that every player supports in an MP4


@dataclass(frozen=True)
class Sound:
    """The sound of a file, with ffmpeg's input options for it and its codec."""

    path: Path
    source: tuple[str, ...]
    codec: str


def join(
    parts: Sequence[tuple[Path, float | None]],
    path: Path,
    *,
    tags: dict[str, str],
    kind: str = "mp4",
    sound: Sound | None = None,
    seconds: float = 0,
) -> None:
    """Join videos of one size and rate without encoding them again, each up to a time in seconds.

    Args:
        tags: the metadata of the video.
        kind: ``mp4`` or ``webm``, as the parts are.
        sound: is added to the frames, up to ``seconds``.

    Raises VideoError, StorageError.
    """
    with TemporaryDirectory(prefix="pixgen-") as folder:
        listed, told = Path(folder, "list"), Path(folder, "tags")
        lines = ["ffconcat version 1.0"]
        for part, until in parts:
            quoted = file_url(part).removeprefix("file:").replace("'", r"'\''")
            lines += [f"file '{quoted}'"] + ([] if until is None else [f"outpoint {until:.6f}"])
        listed.write_text("\n".join(lines) + "\n", "utf-8")
        escaped = {name: re.sub(r"([=;#\\\n])", r"\\\1", text) for name, text in tags.items()}
        marked = [";FFMETADATA1", *(f"{name}={text}" for name, text in escaped.items())]
        told.write_text("\n".join(marked) + "\n", "utf-8")
        beside, codec = _sound_arguments(sound, kind, seconds)
        flags = ("-movflags", "+faststart") if kind == "mp4" else ()
        run(
            (
                "-f",
                "concat",
                "-safe",
                "0",
                "-i",
                file_url(listed),
                "-f",
                "ffmetadata",
                "-i",
                file_url(told),
                *beside,
                "-map",
                "0:v:0",
                "-map_metadata",
                "1",
                "-c:v",
                "copy",
                *codec,
                *flags,
                "-f",
                kind,
                file_url(path),
            ),
            path=path,
        )


def _sound_arguments(
    sound: Sound | None, kind: str, seconds: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """ffmpeg's input and output options for a sound."""
    if sound is None:
        return (), ()
    copied = kind == "mp4" and sound.codec in _COPIED
    encoding = ("-c:a", "copy") if copied else _OPUS if kind == "webm" else _AAC
    source = ("-t", f"{seconds:.6f}", *sound.source, "-i", file_url(sound.path))
    return source, ("-map", "2:a:0", "-threads", "1", *encoding)


def find_failure(codec: str, options: Sequence[str], path: Path, *, size: tuple[int, int]) -> str:
    """Find out why an encoder failed, from ffmpeg's messages when it encodes one black frame."""
    source = ("-f", "lavfi", "-i", f"color=black:size={size[0]}x{size[1]}", "-frames:v", "1")
    _, stderr = _run_ffmpeg((*source, "-c:v", codec, *options, file_url(path)))
    return stderr


def run(arguments: Sequence[str], *, path: Path) -> None:
    """Run ffmpeg to write ``path``. Raises VideoError, StorageError."""
    status, stderr = _run_ffmpeg(arguments)
    if status:
        raise video_error(path, stderr)


def _run_ffmpeg(arguments: Sequence[str]) -> tuple[int, str]:
    """Run ffmpeg; returns its exit status and error messages."""
    options = ("-nostdin", "-hide_banner", "-v", "error", "-y")
    try:
        # A new session: the Ctrl-C that stops a job must not kill the encoding of its video.
        process = subprocess.run(
            [imageio_ffmpeg().get_ffmpeg_exe(), *options, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            check=False,
        )
    except OSError as error:
        raise missing_ffmpeg() from error
    return process.returncode, process.stderr.decode("utf-8", "replace")


def imageio_ffmpeg() -> ModuleType:
    """The package imageio-ffmpeg. Raises VideoError if there is no ffmpeg.

    Its log is silenced: it warns about every video that is read at another size, and errors are raised
    anyway.
    """
    import imageio_ffmpeg as package

    logging.getLogger(package.__name__).setLevel(logging.CRITICAL)
    try:
        package.get_ffmpeg_exe()
    except RuntimeError as error:
        raise missing_ffmpeg() from error
    return package


def missing_ffmpeg() -> VideoError:
    """The error for a missing ffmpeg."""
    return VideoError("Videos need ffmpeg, which is not installed: install the package imageio-ffmpeg.")


def video_error(path: Path, stderr: str) -> PixgenError:
    """The error for a video that ffmpeg could not write or read, from its messages."""
    name = display_name(path)
    text = stderr.replace(str(path.absolute()), name).strip()
    if "No space left" in text or "quota exceeded" in text:
        return StorageError(
            "The disk is full: the video “{name}” could not be saved. Free some space and try again.",
            name=name,
        )
    told = [line.strip() for line in text.splitlines() if not line.startswith(_EMPTY_WORDS)]
    reason = f" ({told[-1]})" if told else ""
    return VideoError("The video “{name}” could not be written or read{reason}.", name=name, reason=reason)


def file_url(path: Path) -> str:
    """A path as a ``file:`` URL, which ffmpeg cannot mistake for an option or a protocol."""
    return f"file:{path.absolute()}"
