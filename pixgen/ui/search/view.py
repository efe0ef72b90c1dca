"""HTML of the Search tab: status line, hits and the selected hit."""

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
from pixgen.models.progress import DownloadProgress
from pixgen.studio.library.library import DRAWINGS, SearchFolder
from pixgen.ui import canvas
from pixgen.ui.i18n import Translator
from pixgen.ui.status import duration, fetching_html
from pixgen.vision.images import Skipped, map_in_threads
from pixgen.vision.search.collection import Hit, Row
from pixgen.vision.search.indexing import Progress

Found = tuple[SearchFolder, Hit]
_THUMBNAIL = 256  # pixels
_LISTED = 5  # skipped files or near duplicates that are listed
_EXAMPLES = 12  # example drawings


def state_html(said: str, more: Sequence[str] = (), *, kind: str = "idle", part: float | None = None) -> str:
    """The line above the pictures; ``kind`` is idle, busy, done or failed, ``part`` the fraction done."""
    figures = "".join(f"<span>{escape(each)}</span>" for each in more)
    width = "" if part is None else f' style="width: {part:.1%}"'
    return (
        f'<section class="pg-finding" data-state="{kind}"><div class="pg-bar"><i{width}></i></div>'
        f'<p class="pg-line"><strong role="status">{escape(said)}</strong>{figures}</p></section>'
    )


def error_html(message: str) -> str:
    """The line about a search that failed."""
    return (
        f'<section class="pg-finding" data-state="failed"><p class="pg-notice" role="alert">{escape(message)}'
        "</p></section>"
    )


def download_html(say: Translator, coming: DownloadProgress) -> str:
    """The progress of a model's download."""
    more, megabytes = fetching_html(say, coming)
    part = None if megabytes is None else megabytes[0] / max(1, megabytes[1])
    return state_html(say("Downloading a model"), more, kind="busy", part=part)


def indexing_html(say: Translator, progress: Progress) -> str:
    """The progress of the indexing."""
    if progress.state != "looking":
        return state_html(say("Checking for new pictures"), kind="busy")
    more = [say("{done} of {total}", done=progress.done, total=progress.total)]
    if progress.rate:
        more.append(say("{rate:.0f} a second", rate=progress.rate))
        more.append(say("{time} left", time=duration(say, progress.seconds_left)))
    part = progress.done / progress.total if progress.total else 1.0
    return state_html(say("Indexing new pictures"), more, kind="busy", part=part)


def result_html(say: Translator, found: Sequence[Found], last: Progress | None) -> str:
    """The line above the results; names the files that were left out of the index."""
    shown = say("{count} found", count=len(found)) if found else say("No results")
    more = []
    if last is not None and last.added + last.changed:
        more.append(say("{count} new", count=last.added + last.changed))
    line = state_html(shown, more, kind="done")
    return line + left_out(say, last.skipped if last is not None else ())


def left_out(say: Translator, skipped: Sequence[Skipped]) -> str:
    """The skipped files with their reasons; empty if there are none."""
    if not skipped:
        return ""
    listed = "".join(
        f"<li><b>{escape(Path(each.path).name)}</b> {escape(say(each.reason))}</li>"
        for each in skipped[:_LISTED]
    )
    title = say("Skipped: {count}", count=len(skipped))
    return f'<details class="pg-skipped"><summary>{escape(title)}</summary><ul>{listed}</ul></details>'


def empty_html(say: Translator) -> str:
    """The empty state: drawings that start a search by a click."""
    mark = (
        '<svg viewBox="0 0 48 48" aria-hidden="true"><rect x="3" y="3" width="18" height="18" rx="3"/>'
        '<rect x="27" y="3" width="18" height="18" rx="3" opacity=".55"/><rect x="3" y="27" width="18" height="18" '
        'rx="3" opacity=".25"/><circle cx="33" cy="33" r="8" fill="none" stroke="currentColor" stroke-width="4"/>'
        '<path d="M39 39l6 6" stroke="currentColor" stroke-width="4" stroke-linecap="round"/></svg>'
    )
    return (
        f'<figure class="pg-mat" aria-label="{escape(say("Search results"))}"><div class="pg-invitation">{mark}'
        f"<h2>{escape(say('Find pictures by what they show.'))}</h2>"
        f"<p>{escape(say('Search with text, a picture or both combined: CLIP compares every picture.'))}</p>"
        f"<p>{escape(say('Or start with a drawing to find similar ones:'))}</p>"
        f'<div class="pg-pick">{_examples(say)}</div></div></figure>'
    )


def example_drawings() -> list[Path]:
    """Bundled drawings offered as the start of a search."""
    drawings = sorted(DRAWINGS.glob("*.webp"))
    return drawings[:: max(1, len(drawings) // _EXAMPLES)][:_EXAMPLES]


def grid_html(say: Translator, found: Sequence[Found], *, nothing: str) -> str:
    """The pictures as buttons with their scores; ``data-hit`` is the index in the list. If there are none,
    ``nothing`` says what to do."""
    if not found:
        return f'<figure class="pg-mat"><div class="pg-invitation"><p>{escape(nothing)}</p></div></figure>'
    thumbnails = map_in_threads(_thumbnail_of, found, ahead=len(found))
    items = "".join(
        f'<li><button type="button" data-hit="{number}" aria-label="{escape(_alt(say, hit))}">'
        f"{_image(thumbnail, '')}<b>{hit.similarity:.2f}</b>"
        f"{_more(say, hit)}</button></li>"
        for number, ((_, hit), thumbnail) in enumerate(zip(found, thumbnails, strict=True))
    )
    return f'<ul class="pg-hits" aria-label="{escape(say("Search results"))}">{items}</ul>'


def chosen_html(say: Translator, one: Found, *, number: int, paths: bool) -> str:
    """The selected hit with its facts; with ``paths``, a button that copies its path."""
    place, hit = one
    row = hit.row
    when = datetime.fromtimestamp(row.modified / 1e9)
    facts = [
        f"{row.width} × {row.height}",
        f"{when:%Y-%m-%d}",
        say("similarity {score}", score=f"{hit.similarity:.3f}"),
    ]
    if row.seed is not None:
        facts.append(say("seed {seed}", seed=row.seed))
    if hit.copies:
        names = ", ".join(_name(copy) for copy in hit.copies[:_LISTED])
        facts.append(f"{say('and {count} near-duplicates', count=len(hit.copies))}: {names}")
    title = _name(row)
    where = str(place.folder / row.path)
    copy = (
        f'<button type="button" class="pg-copy" data-copy="{escape(where)}">{escape(say("Copy path"))}</button>'
        if paths
        else ""
    )
    listed = "".join(f"<span>{escape(each)}</span>" for each in facts)
    return (
        f'<article class="pg-chosen" data-chosen="{number}">{_image(_thumbnail_of(one), _alt(say, hit))}'
        f'<div><h2 title="{escape(title)}">{escape(title)}</h2><p class="pg-line">{listed}</p>{copy}</div></article>'
    )


def _name(row: Row) -> str:
    """A picture's title: its prompt, or its file's name."""
    return row.prompt or Path(row.path).name


def _alt(say: Translator, hit: Hit) -> str:
    name = _name(hit.row)
    told = say("{name}, similarity {score}", name=name, score=f"{hit.similarity:.2f}")
    return f"{told}, {say('and {count} near-duplicates', count=len(hit.copies))}" if hit.copies else told


def _more(say: Translator, hit: Hit) -> str:
    title = escape(say("and {count} near-duplicates", count=len(hit.copies)))
    return f'<i title="{title}" data-more="+{len(hit.copies)}"></i>' if hit.copies else ""


def _examples(say: Translator) -> str:
    """The bundled drawings as buttons; ``data-example`` is the index of each."""
    folder = DRAWINGS
    return "".join(
        f'<button type="button" data-example="{number}" title="{escape(path.stem.replace("-", " "))}">'
        f'<img src="{_thumbnail(folder, path.name, 0)}" width="72" height="72" '
        f'alt="{escape(say("Similar to {name}", name=path.stem.replace("-", " ")))}"></button>'
        for number, path in enumerate(example_drawings())
    )


def _image(source: str, alt: str) -> str:
    return f'<img src="{source}" alt="{escape(alt)}">' if source else "<span></span>"


def _thumbnail_of(one: Found) -> str:
    place, hit = one
    return _thumbnail(place.folder, hit.row.path, hit.row.modified)


@lru_cache(maxsize=1000)
def _thumbnail(folder: Path, path: str, modified: int) -> str:
    """A small JPEG as a ``data:`` URI; empty if the file has changed. ``modified`` is part of the cache's
    key."""
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
