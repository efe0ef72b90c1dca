"""What the Search tab shows, as HTML: the state, the pictures that were found, and the chosen one."""

import base64
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from pixgen.errors import PictureError
from pixgen.images import open_reduced
from pixgen.models.progress import Fetching
from pixgen.studio.finding import DRAWINGS, Place
from pixgen.ui import canvas
from pixgen.ui.status import duration, of_fetching
from pixgen.ui.texts import Words
from pixgen.vision.collection import Row
from pixgen.vision.indexing import Progress
from pixgen.vision.reading import Skipped, in_parallel
from pixgen.vision.search import Hit

Found = tuple[Place, Hit]
_THUMBNAIL = 256  # pixels
_LISTED = 5  # skipped files, or near duplicates, that are named
_EXAMPLES = 12  # drawings to begin with


def state(
    said: str, more: Sequence[str] = (), *, kind: str = "idle", part: float | None = None
) -> str:
    """The line above the pictures; ``kind`` is idle, busy, done or failed, ``part`` how much is done."""
    figures = "".join(f"<span>{escape(each)}</span>" for each in more)
    width = "" if part is None else f' style="width: {part:.1%}"'
    return (
        f'<section class="pg-finding" data-state="{kind}"><div class="pg-bar"><i{width}></i></div>'
        f'<p class="pg-line"><strong role="status">{escape(said)}</strong>{figures}</p></section>'
    )


def failed(message: str) -> str:
    """The line where a search could not be done."""
    return (
        f'<section class="pg-finding" data-state="failed"><p class="pg-notice" role="alert">{escape(message)}'
        "</p></section>"
    )


def fetching(words: Words, coming: Fetching) -> str:
    """How far a model's download is."""
    more, megabytes = of_fetching(words.models, coming)
    part = None if megabytes is None else megabytes[0] / max(1, megabytes[1])
    return state(words.models.fetching, more, kind="busy", part=part)


def indexing(words: Words, progress: Progress) -> str:
    """How far the indexing is."""
    say = words.search
    if progress.state != "looking":
        return state(say.preparing, kind="busy")
    more = [say.of_files.format(done=progress.done, total=progress.total)]
    if progress.rate:
        more.append(say.files_a_second.format(rate=progress.rate))
        more.append(words.left.format(time=duration(words, progress.seconds_left)))
    part = progress.done / progress.total if progress.total else 1.0
    return state(say.indexing, more, kind="busy", part=part)


def result(words: Words, found: Sequence[Found], last: Progress | None) -> str:
    """The line above what was found; names the files that the indexing left out."""
    say = words.search
    shown = say.found.format(count=len(found)) if found else say.nothing
    more = []
    if last is not None and last.added + last.changed:
        more.append(say.new_files.format(count=last.added + last.changed))
    line = state(shown, more, kind="done")
    return line + left_out(words, last.skipped if last is not None else ())


def left_out(words: Words, skipped: Sequence[Skipped]) -> str:
    """The files that are not among the pictures, with why; nothing where there are none."""
    if not skipped:
        return ""
    listed = "".join(
        f"<li><b>{escape(Path(each.path).name)}</b> {escape(words.sentences(each.why))}</li>"
        for each in skipped[:_LISTED]
    )
    title = words.search.skipped.format(count=len(skipped))
    return (
        f'<details class="pg-skipped"><summary>{escape(title)}</summary><ul>{listed}</ul></details>'
    )


def empty(words: Words) -> str:
    """The place of the pictures before the first search: drawings that begin one with a click."""
    say = words.search
    mark = '<svg viewBox="0 0 48 48" aria-hidden="true"><rect x="3" y="3" width="18" height="18" rx="3"/>' \
        '<rect x="27" y="3" width="18" height="18" rx="3" opacity=".55"/><rect x="3" y="27" width="18" height="18" ' \
        'rx="3" opacity=".25"/><circle cx="33" cy="33" r="8" fill="none" stroke="currentColor" stroke-width="4"/>' \
        '<path d="M39 39l6 6" stroke="currentColor" stroke-width="4" stroke-linecap="round"/></svg>'  # fmt: skip
    return (
        f'<figure class="pg-mat" aria-label="{escape(say.pictures)}"><div class="pg-invitation">{mark}'
        f"<h2>{escape(say.invitation)}</h2><p>{escape(say.invitation_more)}</p>"
        f'<p>{escape(say.invitation_examples)}</p><div class="pg-pick">{_examples(words)}</div></div></figure>'
    )


def examples() -> list[Path]:
    """Bundled drawings that a search can begin with."""
    drawings = sorted(DRAWINGS.glob("*.webp"))
    return drawings[:: max(1, len(drawings) // _EXAMPLES)][:_EXAMPLES]


def grid(words: Words, found: Sequence[Found], *, nothing: str) -> str:
    """The pictures as buttons, each with its score; ``data-hit`` is its place in the list. Without
    any, ``nothing`` says what to do."""
    if not found:
        return f'<figure class="pg-mat"><div class="pg-invitation"><p>{escape(nothing)}</p></div></figure>'
    thumbnails = in_parallel(_thumbnail_of, found, ahead=len(found))
    items = "".join(
        f'<li><button type="button" data-hit="{number}" aria-label="{escape(_alt(words, hit))}">'
        f"{_image(thumbnail, '')}<b>{hit.score:.2f}</b>"
        f"{_more(words, hit)}</button></li>"
        for number, ((_, hit), thumbnail) in enumerate(zip(found, thumbnails, strict=True))
    )
    return f'<ul class="pg-hits" aria-label="{escape(words.search.pictures)}">{items}</ul>'


def chosen(words: Words, one: Found, *, number: int, paths: bool) -> str:
    """The picture that was clicked, and what is known of it. ``paths``: where it is, to be copied."""
    place, hit = one
    say, row = words.search, hit.row
    when = datetime.fromtimestamp(row.modified / 1e9)
    facts = [
        f"{row.width} × {row.height}", f"{when:%Y-%m-%d}", say.score.format(score=f"{hit.score:.3f}"),
    ]  # fmt: skip
    if row.seed is not None:
        facts.append(words.seed_was.format(seed=row.seed))
    if hit.copies:
        names = ", ".join(_name(copy) for copy in hit.copies[:_LISTED])
        facts.append(f"{say.alike.format(count=len(hit.copies))}: {names}")
    title = _name(row)
    where = str(place.folder / row.path)
    copy = (
        f'<button type="button" class="pg-copy" data-copy="{escape(where)}">{escape(say.copy_path)}</button>'
        if paths
        else ""
    )
    listed = "".join(f"<span>{escape(each)}</span>" for each in facts)
    return (
        f'<article class="pg-chosen" data-chosen="{number}">{_image(_thumbnail_of(one), _alt(words, hit))}'
        f'<div><h3 title="{escape(title)}">{escape(title)}</h3><p class="pg-line">{listed}</p>{copy}</div></article>'
    )


def _name(row: Row) -> str:
    """What a picture is called: its prompt, or its file's name."""
    return row.prompt or Path(row.path).name


def _alt(words: Words, hit: Hit) -> str:
    name = _name(hit.row)
    told = words.search.hit_alt.format(name=name, score=f"{hit.score:.2f}")
    return f"{told}, {words.search.alike.format(count=len(hit.copies))}" if hit.copies else told


def _more(words: Words, hit: Hit) -> str:
    title = escape(words.search.alike.format(count=len(hit.copies)))
    return f'<i title="{title}">+{len(hit.copies)}</i>' if hit.copies else ""


def _examples(words: Words) -> str:
    """The bundled drawings as buttons; ``data-example`` is each one's place."""
    folder = DRAWINGS
    return "".join(
        f'<button type="button" data-example="{number}" title="{escape(path.stem.replace("-", " "))}">'
        f'<img src="{_thumbnail(folder, path.name, 0)}" width="72" height="72" '
        f'alt="{escape(words.search.example_alt.format(name=path.stem.replace("-", " ")))}"></button>'
        for number, path in enumerate(examples())
    )


def _image(source: str, alt: str) -> str:
    return f'<img src="{source}" alt="{escape(alt)}">' if source else "<span></span>"


def _thumbnail_of(one: Found) -> str:
    place, hit = one
    return _thumbnail(place.folder, hit.row.path, hit.row.modified)


@lru_cache(maxsize=1000)
def _thumbnail(folder: Path, path: str, modified: int) -> str:
    """A small JPEG as a ``data:`` URI; empty if the file is not what it was. ``modified`` is for the cache."""
    file = folder / path
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            return ""
        picture, _ = open_reduced(file, side=_THUMBNAIL)
    except (PictureError, OSError, ValueError, RuntimeError):
        return ""
    picture.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BICUBIC, reducing_gap=2.0)
    data = base64.b64encode(canvas.jpeg(np.asarray(picture))).decode()
    return f"data:image/jpeg;base64,{data}"
