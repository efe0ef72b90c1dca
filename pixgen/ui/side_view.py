"""What the side bar shows, as HTML: ``data-run`` opens a run, ``data-looks`` searches the pictures
themselves, ``data-all`` goes to the gallery."""

from datetime import date
from html import escape
from urllib.parse import quote

from pixgen.studio.catalogue_rows import Entry
from pixgen.ui.browsing import Shelf
from pixgen.ui.gallery_view import image, preset_name, state_name, time_of
from pixgen.ui.i18n import Translator


def runs(say: Translator, shelf: Shelf, *, today: date) -> str:
    """The newest runs, or those with the words, and how to see more of them."""
    if shelf.everything and not shelf.entries:
        return f"<p>{escape(say('Nothing has been painted yet.'))} {escape(say('Every picture is kept here as soon as you begin it.'))}</p>"
    shown = _list(say, say("Your pictures"), shelf, today=today)
    if shelf.total > len(shelf.entries):
        shown += _button("all", say("All {count} in the gallery", count=f"{shelf.total:,}"))
    return (
        shown
        if shelf.everything
        else shown + _button("looks", say("Search the pictures themselves, too"))
    )


def alike(say: Translator, text: str, found: Shelf | str, *, today: date | None = None) -> str:
    """The runs whose pictures look like a text, or what is said instead."""
    if isinstance(found, Shelf) and found.entries:
        shown = _list(say, say("By what they show"), found, today=today)
    else:
        shown = (
            f"<p>{escape(found if isinstance(found, str) else say('No picture is like that.'))}</p>"
        )
    asked = quote(text, safe="!'()*~")  # as a browser's encodeURIComponent writes it
    return f'<section data-words="{escape(asked)}"><h3>{escape(say("By what they show"))}</h3>{shown}</section>'


def said(say: Translator, shelf: Shelf) -> str:
    """How many runs have the words, where some were asked for."""
    if shelf.everything:
        return ""
    told = (
        say("{count} found", count=f"{shelf.total:,}")
        if shelf.total
        else say("No picture is like that.")
    )
    return f"<p>{escape(told)}</p>"


def _list(say: Translator, title: str, shelf: Shelf, *, today: date | None) -> str:
    items = "".join(
        _item(say, entry, thumbnail, today=today)
        for entry, thumbnail in zip(shelf.entries, shelf.thumbnails, strict=True)
    )
    return f'<ul aria-label="{escape(title)}">{items}</ul>' if items else ""


def _item(say: Translator, entry: Entry, thumbnail: bytes | None, *, today: date | None) -> str:
    facts = [] if entry.state == "done" else [state_name(say, entry.state)]
    facts += [preset_name(say, entry.preset)] if entry.preset else []
    facts += [say("seed {seed}", seed=entry.seed)]
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
