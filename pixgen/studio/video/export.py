"""Writes videos frame by frame, and exports them in other formats, lengths and sizes, with captions."""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pixgen.errors import VideoError
from pixgen.messages import _
from pixgen.recipe.recipe import Recipe
from pixgen.studio.fonts import TextRenderer
from pixgen.studio.metadata.containers import read_texts
from pixgen.studio.metadata.mp4 import has_sound
from pixgen.studio.metadata.picture_info import embed_text
from pixgen.studio.storage import atomic_write, remove_file, temporary_path
from pixgen.studio.video import ffmpeg
from pixgen.studio.video.encoding import PALETTE, VP9, WEBP, Encoder, Encoding, gif, h264, smoothed
from pixgen.studio.video.ffmpeg import Sound
from pixgen.studio.video.recording import FPS, HOLD, VideoMetadata, VideoRecording, read_video_metadata
from pixgen.studio.video.source import OWN, read_frames
from pixgen.studio.video.timeline import ExportSettings, Timeline

LARGEST_SIDE = 4096  # pixels of an enlarged video
LETTERS, LINE, MARGIN = 13, 17, 9  # pixels
INK, PALE, PAPER = (244, 244, 246), (166, 166, 176), (24, 24, 28)
NARROWEST = 256  # pixels of width in which a caption is readable
_MOST_LINES = 2


@dataclass(frozen=True)
class Format:
    """The encoding of a format, and the highest frame rates that viewers support, as painted and with frames in
    between. Without ``encoding``, it is a
    format with a palette, which is encoded in two passes."""

    most_fps: float
    encoding: Encoding | None = None
    most_smooth_fps: float = 120


_WITH_SOUND = (".mp4", ".webm")
FORMATS = {
    ".mp4": Format(60, h264(18)),
    ".webm": Format(60, VP9),
    ".webp": Format(50, WEBP, most_smooth_fps=50),
    ".gif": Format(25),
}


class VideoWriter:
    """Writes an H.264 MP4 frame by frame; a context manager.

    The file is written atomically when the block ends without an error. Its last frame is held for a
    second.

    Args:
        path: the video.
        fps: frames per second.
        recipe: is embedded as the comment of the video.

    Raises VideoError (also without any frame), StorageError.
    """

    def __init__(self, path: str | Path, *, fps: float = FPS, recipe: Recipe | None = None) -> None:
        self._recording, self._recipe = VideoRecording(Path(path), fps=fps), recipe
        self._last: np.ndarray | None = None
        self._count = 0

    def __enter__(self) -> "VideoWriter":
        return self

    def add(self, picture: np.ndarray) -> None:
        """Append ``(H, W, 3)`` uint8 RGB; odd sides are made even by repeating the edge."""
        self._last = picture
        self._recording.add(picture, step=self._count)
        self._count += 1

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is not None:
            self._recording.abort()
        elif self._last is None:
            raise VideoError("The video “{name}” has no frames.", name=self._recording.path.name)
        else:
            self._recording.commit(self._last, recipe=self._recipe)


def export(path_in: str | Path, path_out: str | Path, cut: ExportSettings | None = None) -> None:
    """Export a video that pixgen wrote as MP4, WebM, GIF or WebP, by the suffix of ``path_out``.

    Nothing is painted again, and only a few frames are in memory at a time.

    Args:
        cut: length, speed, captions and more; by default as the video is.

    Raises VideoError, StorageError; an existing file then stays.
    """
    for _progress in export_with_progress(path_in, path_out, cut):
        pass


def export_with_progress(
    path_in: str | Path, path_out: str | Path, cut: ExportSettings | None = None
) -> Iterator[tuple[int, int]]:
    """As ``export``, yielding the number of encoded frames and their total; closing the iterator cancels it."""
    path_in, path_out = Path(path_in), Path(path_out)
    suffix = path_out.suffix.lower()
    if suffix not in FORMATS:
        raise VideoError(
            "A video can be exported as {choices}, not “{suffix}”.",
            choices=", ".join(FORMATS),
            suffix=suffix or path_out.name,
        )
    kind, facts = FORMATS[suffix], read_video_metadata(path_in)
    cut = cut or ExportSettings(hold=0 if facts.is_journey else HOLD)
    cut = _with_smoothing(cut, facts, suffix)
    changes = _changes(path_in, len(facts.steps)) if cut.even else ()
    timeline = Timeline(cut, count=len(facts.steps), fps=facts.fps, most_fps=kind.most_fps, changes=changes)
    total = len(timeline) * (1 if kind.encoding else 2)

    def encode(path: Path, encoding: Encoding) -> Generator[None, None, None]:
        encoder = Encoder(path, fps=timeline.fps, encoding=encoding)
        try:
            with closing(_draw_frames(path_in, facts, cut, timeline)) as drawn:
                for picture in drawn:
                    encoder.add(picture)
                    yield
            encoder.finish()
        finally:
            encoder.abort()

    with atomic_write(path_out) as temporary, tempfile.TemporaryDirectory() as folder:
        palette, encoded = Path(folder) / "palette.png", temporary
        if kind.encoding is None:
            passes = [encode(palette, PALETTE), encode(encoded, gif(palette))]
        else:
            target = min(cut.smooth_fps or 0, kind.most_smooth_fps)
            encoding = kind.encoding
            if target > timeline.fps:
                encoding = smoothed(encoding, target, seconds=len(timeline) / timeline.fps)
            passes = [encode(encoded, encoding)]
        done = 0
        for each in passes:
            with closing(each):
                for _encoded in each:
                    done += 1
                    yield done, total
        comment = read_texts(path_in).get("comment", "")
        if suffix in _WITH_SOUND:
            keeps = has_sound(path_in) and _keeps_speed(cut, facts.fps)
            sound = Sound(path_in, OWN, "aac") if keeps else None
            _finish(temporary, suffix, comment, sound=sound, seconds=len(timeline) / timeline.fps)
        else:
            embed_text(temporary, suffix, comment)


def _with_smoothing(cut: ExportSettings, facts: VideoMetadata, suffix: str) -> ExportSettings:
    """The settings with the recipe's rate of smoothing, where they have none. Raises VideoError for a format without
    it."""
    own = facts.recipe.journey.smooth_fps if facts.recipe is not None else 0
    if cut.smooth_fps is None:
        return replace(cut, smooth_fps=own if FORMATS[suffix].encoding else 0)
    if cut.smooth_fps and FORMATS[suffix].encoding is None:
        raise VideoError("A GIF cannot have frames in between: choose MP4, WebM or WebP.")
    return cut


def _finish(path: Path, suffix: str, comment: str, *, sound: Sound | None, seconds: float) -> None:
    """Add the recipe and the sound to an encoded video."""
    finished, tags = temporary_path(path), {"comment": comment} if comment else {}
    try:
        ffmpeg.join([(path, None)], finished, tags=tags, kind=suffix[1:], sound=sound, seconds=seconds)
        finished.replace(path)
    finally:
        remove_file(finished)


def explain_lost_sound(path_in: str | Path, path_out: str | Path, cut: ExportSettings | None = None) -> str:
    """Explain why an export loses the sound; empty if it keeps the sound or there is none. Raises
    VideoError."""
    if not has_sound(Path(path_in)):
        return ""
    if Path(path_out).suffix.lower() not in _WITH_SOUND:
        return _("The video has no sound: GIF and WebP cannot contain any.")
    if not _keeps_speed(cut or ExportSettings(), read_video_metadata(Path(path_in)).fps):
        return _("The video has no sound: it only fits the video at its original speed.")
    return ""


def _keeps_speed(cut: ExportSettings, fps: float) -> bool:
    """Whether every frame is shown at its original time."""
    return cut.seconds is None and cut.fps in (None, fps) and not (cut.even or cut.loop)


class FrameReader:
    """Reads a video's frames at increasing positions; holds two frames."""

    def __init__(self, path: Path) -> None:
        self._pictures = read_frames(path)
        self._number = -1
        self._before: np.ndarray | None = None
        self._now: np.ndarray | None = None

    def at(self, position: float) -> np.ndarray:
        """The frame ``(H, W, 3)`` uint8 at a position; a blend between two numbers, the last one after the end."""
        while self._number < position:
            picture = next(self._pictures, None)
            if picture is None:
                break
            self._number, self._before, self._now = self._number + 1, self._now, picture
        if self._now is None:
            raise VideoError("This video has no frames.")
        behind = self._number - position  # 0: the newest; 1: the one before
        return self._now if behind <= 0 or self._before is None else blend(self._now, self._before, behind)

    def close(self) -> None:
        """Stop reading."""
        self._pictures.close()


def blend(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Blend two frames ``(H, W, 3)`` uint8; ``share`` in [0, 1] is that of the other."""
    if share <= 0 or share >= 1:
        return other if share >= 1 else one
    return (one + (other.astype(np.float32) - one) * share + 0.5).astype(np.uint8)


def _draw_frames(
    path: Path, facts: VideoMetadata, cut: ExportSettings, timeline: Timeline
) -> Generator[np.ndarray, None, None]:
    """The frames of the exported video, one by one."""
    draw: _FrameRenderer | None = None
    # Two readers: while a loop closes, its end and its beginning are shown together.
    with closing(FrameReader(path)) as main, closing(FrameReader(path)) as opening:
        for shown in timeline:
            picture, position = main.at(shown.position), shown.position
            if shown.share:
                picture = blend(picture, opening.at(shown.other), shown.share)
                position = shown.other if shown.share > 0.5 else position
            draw = draw or _FrameRenderer(facts, cut, shape=picture.shape)
            yield draw(picture, step=facts.steps[min(round(position), len(facts.steps) - 1)])


class Captions:
    """Draws captions below frames of one width; all captions of a video have the same height.

    Args:
        words: every text that may be drawn.
    """

    def __init__(self, words: set[str], *, width: int) -> None:
        self.width = width
        self._renderer = TextRenderer(LETTERS)
        room = width - 2 * MARGIN
        self._lines = {text: self._renderer.wrap(text, room, most=_MOST_LINES) for text in words}
        most = max(map(len, self._lines.values()), default=1)
        self._height = 2 * MARGIN + LINE * (most + 1) - (LINE - LETTERS)

    def add_below(self, picture: np.ndarray, *, words: str, aside: str) -> np.ndarray:
        """A frame ``(H, W, 3)`` uint8 with a caption below, and ``aside``, such as its step."""
        band = Image.new("RGB", (self.width, self._height), PAPER)
        canvas = ImageDraw.Draw(band)
        self._renderer.draw_lines(canvas, (MARGIN, MARGIN), self._lines[words], INK, line=LINE)
        below = (MARGIN, self._height - MARGIN - LETTERS)
        self._renderer.draw(canvas, below, aside, PALE)
        return np.concatenate([picture, np.asarray(band)])


class _FrameRenderer:
    """Crops, scales and captions the frames of an export."""

    def __init__(self, facts: VideoMetadata, cut: ExportSettings, *, shape: tuple[int, ...]) -> None:
        height, width = shape[:2]
        self._recipe = facts.recipe
        if facts.recipe is not None:  # without the rows and columns that were added to make the sides even
            height, width = min(height, facts.recipe.height), min(width, facts.recipe.width)
        self._shape = (height, width)
        self._scale = cut.scale or (-(-NARROWEST // width) if cut.captions else 1)
        self._scale = max(1, min(self._scale, LARGEST_SIDE // max(height, width)))
        self._captions = None
        if cut.captions:
            words = {self._words(step) for step in facts.steps}
            self._captions = Captions(words, width=width * self._scale)

    def __call__(self, picture: np.ndarray, *, step: int) -> np.ndarray:
        height, width = self._shape
        picture = picture[:height, :width]
        if self._scale > 1:
            size = (width * self._scale, height * self._scale)
            picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
        if self._captions is None:
            return picture
        return self._captions.add_below(picture, words=self._words(step), aside=self._step_text(step))

    def _step_text(self, step: int) -> str:
        if self._recipe is None:
            return ""
        return "sketch" if step < 0 else f"step {step} of {self._recipe.steps}"

    def _words(self, step: int) -> str:
        if self._recipe is None:
            return ""
        return " | ".join(prompt.label for prompt in self._recipe.scene(max(0, step)))


def _changes(path: Path, count: int) -> list[float]:
    """The mean difference of each of the first ``count`` frames to the one before; 0 for the first."""
    found, before = [], None
    with closing(read_frames(path, filters="scale=32:32:flags=area")) as pictures:
        for picture, _number in zip(pictures, range(count), strict=False):
            picture = picture.astype(np.int16)
            found.append(0.0 if before is None else float(np.abs(picture - before).mean()))
            before = picture
    return found
