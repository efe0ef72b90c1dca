"""Films as files: written picture by picture, and exported in other formats, lengths and ways."""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pixgen.errors import VideoError
from pixgen.messages import _
from pixgen.recipe.recipe import Recipe
from pixgen.studio.metadata.containers import read_texts
from pixgen.studio.metadata.embedding import carry_text
from pixgen.studio.metadata.mp4 import has_sound
from pixgen.studio.storage import remove, temporary_path, writing
from pixgen.studio.video import ffmpeg
from pixgen.studio.video.captions import NARROWEST, Captions
from pixgen.studio.video.decoding import OWN, read_frames
from pixgen.studio.video.encoding import PALETTE, VP9, WEBP, Encoder, Encoding, gif, h264
from pixgen.studio.video.ffmpeg import Sound
from pixgen.studio.video.recording import FPS, HOLD, VideoFacts, VideoRecording, read_video_facts
from pixgen.studio.video.timeline import Cut, Timeline

LARGEST_SIDE = 4096  # pixels of a film that is made larger


@dataclass(frozen=True)
class Format:
    """How a film is encoded, and the most pictures a second that viewers show. What has a palette is
    encoded twice, without ``encoding``."""

    most_fps: float
    encoding: Encoding | None = None


_WITH_SOUND = (".mp4", ".webm")
FORMATS = {
    ".mp4": Format(60, h264(18)),
    ".webm": Format(60, VP9),
    ".webp": Format(50, WEBP),
    ".gif": Format(25),
}


class VideoWriter:
    """Writes an H.264 MP4 of pictures as they come; a context manager.

    The file appears when the block ends without an error, and replaces what was there. It ends by
    holding the last picture for a second.

    Args:
        path: the film.
        fps: pictures a second.
        recipe: goes into the film's comment.

    Raises VideoError (also if there are no pictures), StorageError.
    """

    def __init__(self, path: str | Path, *, fps: float = FPS, recipe: Recipe | None = None) -> None:
        self._film, self._recipe = VideoRecording(Path(path), fps=fps), recipe
        self._last: np.ndarray | None = None
        self._count = 0

    def __enter__(self) -> "VideoWriter":
        return self

    def add(self, picture: np.ndarray) -> None:
        """Append ``(H, W, 3)`` uint8 RGB; odd sides are made even by repeating the edge."""
        self._last = picture
        self._film.add(picture, step=self._count)
        self._count += 1

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is not None:
            self._film.abort()
        elif self._last is None:
            raise VideoError("The film “{name}” has no pictures.", name=self._film.path.name)
        else:
            self._film.commit(self._last, recipe=self._recipe)


def export(path_in: str | Path, path_out: str | Path, cut: Cut | None = None) -> None:
    """Make another film of one that pixgen wrote: MP4, WebM, GIF or WebP, by the suffix of ``path_out``.

    Nothing is painted, and whatever its length, only a few pictures are in memory at a time.

    Args:
        cut: its length and pace, and what else is wanted of it; by default as the film is.

    Raises VideoError, StorageError; what was at ``path_out`` then is still there.
    """
    for _progress in exporting(path_in, path_out, cut):
        pass


def exporting(path_in: str | Path, path_out: str | Path, cut: Cut | None = None) -> Iterator[tuple[int, int]]:
    """As ``export``, telling how many pictures of how many are encoded; closing it ends it."""
    path_in, path_out = Path(path_in), Path(path_out)
    suffix = path_out.suffix.lower()
    if suffix not in FORMATS:
        raise VideoError(
            "A film can be {choices}, not “{suffix}”.",
            choices=", ".join(FORMATS),
            suffix=suffix or path_out.name,
        )
    kind, facts = FORMATS[suffix], read_video_facts(path_in)
    cut = cut or Cut(hold=0 if facts.is_journey else HOLD)
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

    with writing(path_out) as temporary, tempfile.TemporaryDirectory() as folder:
        palette, encoded = Path(folder) / "palette.png", temporary
        if kind.encoding is None:
            passes = [encode(palette, PALETTE), encode(encoded, gif(palette))]
        else:
            passes = [encode(encoded, kind.encoding)]
        done = 0
        for each in passes:
            with closing(each):
                for _encoded in each:
                    done += 1
                    yield done, total
        comment = read_texts(path_in).get("comment", "")
        if suffix in _WITH_SOUND:
            keeps = has_sound(path_in) and _keeps_pace(cut, facts.fps)
            sound = Sound(path_in, OWN, "aac") if keeps else None
            _finish(temporary, suffix, comment, sound=sound, seconds=len(timeline) / timeline.fps)
        else:
            carry_text(temporary, suffix, comment)


def _finish(path: Path, suffix: str, comment: str, *, sound: Sound | None, seconds: float) -> None:
    """Put a recipe and a sound into an encoded film."""
    finished, tags = temporary_path(path), {"comment": comment} if comment else {}
    try:
        ffmpeg.join([(path, None)], finished, tags=tags, kind=suffix[1:], sound=sound, seconds=seconds)
        finished.replace(path)
    finally:
        remove(finished)


def find_lost_sound(path_in: str | Path, path_out: str | Path, cut: Cut | None = None) -> str:
    """Why a film with sound has none once it is exported, as a sentence; empty if it keeps it or has
    none. Raises VideoError."""
    if not has_sound(Path(path_in)):
        return ""
    if Path(path_out).suffix.lower() not in _WITH_SOUND:
        return _("The sound is left out: a GIF or WebP has none.")
    if not _keeps_pace(cut or Cut(), read_video_facts(Path(path_in)).fps):
        return _("The sound is left out: it goes with the film at its own pace only.")
    return ""


def _keeps_pace(cut: Cut, fps: float) -> bool:
    """Whether every picture is seen at its time."""
    return cut.seconds is None and cut.fps in (None, fps) and not (cut.even or cut.loop)


class FrameReader:
    """A film's pictures by place, each place at or after the one before; holds two pictures."""

    def __init__(self, path: Path) -> None:
        self._pictures = read_frames(path)
        self._number = -1
        self._before: np.ndarray | None = None
        self._now: np.ndarray | None = None

    def at(self, place: float) -> np.ndarray:
        """``(H, W, 3)`` uint8; between two numbers, a mixture. After the last there is only the last."""
        while self._number < place:
            picture = next(self._pictures, None)
            if picture is None:
                break
            self._number, self._before, self._now = self._number + 1, self._now, picture
        if self._now is None:
            raise VideoError("This film has no pictures.")
        behind = self._number - place  # 0: the newest; 1: the one before
        return self._now if behind <= 0 or self._before is None else blend(self._now, self._before, behind)

    def close(self) -> None:
        """Read no more."""
        self._pictures.close()


def blend(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Two pictures ``(H, W, 3)`` uint8 as one, with so much of the other, in [0, 1]."""
    if share <= 0 or share >= 1:
        return other if share >= 1 else one
    return (one + (other.astype(np.float32) - one) * share + 0.5).astype(np.uint8)


def _draw_frames(
    path: Path, facts: VideoFacts, cut: Cut, timeline: Timeline
) -> Generator[np.ndarray, None, None]:
    """The pictures of the film to be, one by one."""
    draw: _Draw | None = None
    # Two readers: while a loop closes, the end and the beginning are seen at once.
    with closing(FrameReader(path)) as reel, closing(FrameReader(path)) as beginning:
        for shown in timeline:
            picture, place = reel.at(shown.place), shown.place
            if shown.share:
                picture = blend(picture, beginning.at(shown.other), shown.share)
                place = shown.other if shown.share > 0.5 else place
            draw = draw or _Draw(facts, cut, shape=picture.shape)
            yield draw(picture, step=facts.steps[min(round(place), len(facts.steps) - 1)])


class _Draw:
    """Brings pictures to the size that is wanted, and writes below them what is wanted."""

    def __init__(self, facts: VideoFacts, cut: Cut, *, shape: tuple[int, ...]) -> None:
        height, width = shape[:2]
        self._recipe = facts.recipe
        if facts.recipe is not None:  # without the rows and columns that made its sides even
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
        return self._captions.under(picture, words=self._words(step), aside=self._aside(step))

    def _aside(self, step: int) -> str:
        if self._recipe is None:
            return ""
        return "sketch" if step < 0 else f"step {step} of {self._recipe.steps}"

    def _words(self, step: int) -> str:
        if self._recipe is None:
            return ""
        return " | ".join(prompt.label for prompt in self._recipe.scene(max(0, step)))


def _changes(path: Path, count: int) -> list[float]:
    """How much each of the first so many pictures differs from the one before, the first 0."""
    found, before = [], None
    with closing(read_frames(path, filters="scale=32:32:flags=area")) as pictures:
        for picture, _number in zip(pictures, range(count), strict=False):
            picture = picture.astype(np.int16)
            found.append(0.0 if before is None else float(np.abs(picture - before).mean()))
            before = picture
    return found
