"""What the side bar shows, as HTML: ``data-run`` opens a run, ``data-looks`` searches the pictures
themselves, ``data-all`` goes to the gallery."""

from datetime import date
from html import escape
from urllib.parse import quote

from pixgen.studio.catalogue_rows import Entry
from pixgen.ui.browsing import Shelf
from pixgen.ui.gallery_view import image, preset_name, state_name, time_of
from pixgen.ui.texts import Words


def runs(words: Words, shelf: Shelf, *, today: date) -> str:
    """The newest runs, or those with the words, and how to see more of them."""
    own = words.gallery
    if shelf.everything and not shelf.entries:
        return f"<p>{escape(own.nothing_yet)} {escape(own.nothing_yet_more)}</p>"
    shown = _list(words, own.pictures, shelf, today=today)
    if shelf.total > len(shelf.entries):
        shown += _button("all", own.all_there.format(count=f"{shelf.total:,}"))
    return shown if shelf.everything else shown + _button("looks", own.look_too)


def alike(words: Words, text: str, found: Shelf | str, *, today: date | None = None) -> str:
    """The runs whose pictures look like a text, or what is said instead."""
    own = words.gallery
    if isinstance(found, Shelf) and found.entries:
        shown = _list(words, own.by_looks, found, today=today)
    else:
        shown = f"<p>{escape(found if isinstance(found, str) else own.nothing)}</p>"
    asked = quote(text, safe="!'()*~")  # as a browser's encodeURIComponent writes it
    return f'<section data-words="{escape(asked)}"><h3>{escape(own.by_looks)}</h3>{shown}</section>'


def said(words: Words, shelf: Shelf) -> str:
    """How many runs have the words, where some were asked for."""
    if shelf.everything:
        return ""
    own = words.gallery
    told = own.found.format(count=f"{shelf.total:,}") if shelf.total else own.nothing
    return f"<p>{escape(told)}</p>"


def _list(words: Words, title: str, shelf: Shelf, *, today: date | None) -> str:
    items = "".join(
        _item(words, entry, thumbnail, today=today)
        for entry, thumbnail in zip(shelf.entries, shelf.thumbnails, strict=True)
    )
    return f'<ul aria-label="{escape(title)}">{items}</ul>' if items else ""


def _item(words: Words, entry: Entry, thumbnail: bytes | None, *, today: date | None) -> str:
    facts = [] if entry.state == "done" else [state_name(words, entry.state)]
    facts += [preset_name(words, entry.preset)] if entry.preset else []
    facts += [words.seed_was.format(seed=entry.seed)]
    line, whole = escape(" · ".join(facts)), time_of(entry)
    day, hour = whole.split()
    when = hour if entry.started.date() == today else day
    return (
        f'<li data-state="{entry.state}"><button type="button" data-run="{entry.id}" title="{escape(entry.prompt)}">'
        f"<i>{image(thumbnail)}</i><span><strong>{escape(entry.prompt)}</strong>"
        f'<small><span title="{line}">{line}</span> <time title="{whole}">{when}</time></small></span>'
        "</button></li>"
    )


def _button(name: str, said: str) -> str:
    return f'<button type="button" data-{name}>{escape(said)}</button>'
