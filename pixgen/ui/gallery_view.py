"""What the Gallery tab shows, as HTML: a grid of pictures, and one of them with all that belongs to it.

``data-run`` opens a run, ``data-star`` makes it a favourite or not, ``data-page`` turns to a page.
"""

import base64
import json
from collections.abc import Sequence
from html import escape

from pixgen.presets import available_presets
from pixgen.studio import Run
from pixgen.studio.catalogue_rows import Entry
from pixgen.studio.gallery import Opened
from pixgen.ui import canvas
from pixgen.ui.browsing import Shelf
from pixgen.ui.curves import chart
from pixgen.ui.losses import loss_name
from pixgen.ui.status import duration
from pixgen.ui.texts import Words

_LONGEST = 60  # letters of a prompt in a sentence

Thumbnails = dict[str, bytes | None]


def grid(words: Words, shelf: Shelf) -> str:
    """A page of pictures, and how to turn it."""
    own = words.gallery
    if not shelf.entries:
        title, more = (
            (own.bin_empty, own.bin_empty_more) if shelf.binned
            else (own.nothing_yet, own.nothing_yet_more) if shelf.everything
            else (own.nothing, own.nothing_more)
        )  # fmt: skip
        return f'<div class="pg-shelf-empty"><h2>{escape(title)}</h2><p>{escape(more)}</p></div>'
    items = "".join(
        _item(words, entry, thumbnail)
        for entry, thumbnail in zip(shelf.entries, shelf.thumbnails, strict=True)
    )
    return f'<ul class="pg-shelf" aria-label="{escape(own.pictures)}">{items}</ul>{_turning(words, shelf)}'


def place(words: Words, shelf: Shelf) -> str:
    """Which of how many are shown."""
    if not shelf.entries:
        return ""
    first = shelf.first + 1
    said = words.gallery.shown.format(
        first=f"{first:,}", last=f"{first + len(shelf.entries) - 1:,}", total=f"{shelf.total:,}"
    )
    return f'<p class="pg-shelf-place" role="status">{escape(said)}</p>'


def done(said: str, undo: str = "", *, run: str = "") -> str:
    """What was just done, and a button that takes it back."""
    button = (
        f'<button type="button" data-undo="{escape(run)}">{escape(undo)}</button>' if undo else ""
    )
    return f'<p class="pg-undo" role="status"><span>{escape(said)}</span>{button}</p>'


def picture(words: Words, opened: Opened, film: str) -> str:
    """The picture of a run, and its film, which is at the address ``film`` if there is one."""
    run = opened.run
    recipe, data = run.recipe, run.picture.read_bytes() if run.picture.is_file() else None
    if data is None:
        shown = f'<figure class="pg-mat"><div class="pg-invitation"><p>{escape(words.gallery.no_picture)}</p></div></figure>'
    else:
        alt = words.finished_alt if run.state == "done" else words.stopped_alt
        alt = alt.format(prompt=recipe.title, step=run.step, steps=recipe.steps)
        size = (recipe.width, recipe.height)
        shown = canvas.of_picture(words, data, kind="png", alt=alt, size=size)
    if not film:
        return shown
    return (
        f'{shown}<details class="pg-filmed"><summary>{escape(words.download_film)}</summary>'
        f'<video controls muted loop playsinline preload="none" src="{escape(film)}" '
        f'width="{recipe.width}" height="{recipe.height}" aria-label="{escape(recipe.title)}"></video></details>'
    )


def facts(words: Words, opened: Opened, thumbnails: Thumbnails) -> str:
    """What is known of a run: its words, figures, curves, relatives and recipe."""
    own, run, entry, curve = words.gallery, opened.run, opened.entry, opened.curve
    waited = run.stopped_waiting
    state = words.not_begun if waited else state_name(words, entry.state)
    step = words.step.format(step=run.step, steps=run.recipe.steps)
    line = [
        own.in_bin if entry.binned else state,
        *([] if waited else [step]),
        *([preset_name(words, entry.preset)] if entry.preset else []),
        words.seed_was.format(seed=entry.seed), f"{entry.width} × {entry.height}",
        *([] if waited else [duration(words, run.seconds)]), time_of(entry),
    ]  # fmt: skip
    curves = chart(own.likeness, curve.steps, curve.similarities, alt=own.curve_alt)
    losses = {loss_name(name, words): column for name, column in curve.losses.items()}
    curves += chart(own.losses, curve.steps, losses, alt=own.curve_alt)
    relatives = "".join(
        _relatives(words, title, entries, thumbnails)
        for title, entries in (
            (own.parents, opened.parents), (own.children, opened.children), (own.siblings, opened.siblings),
        )
    )  # fmt: skip
    notice = words.sentences(run.notice)
    notice = f'<p class="pg-notice">{escape(notice)}</p>' if notice else ""
    figures = "".join(f"<span>{escape(each)}</span>" for each in line)
    return (
        f'<article class="pg-facts" data-opened="{entry.id}"><h2>{escape(entry.prompt)}</h2>'
        f'<p class="pg-line">{figures}</p>{notice}'
        + (f"<h3>{escape(own.course)}</h3>{curves}" if curves else "")
        + f"{relatives}<details><summary>{escape(words.recipe)}</summary><pre>{escape(indented(opened.run))}</pre>"
        "</details></article>"
    )


def indented(run: Run) -> str:
    """A run's recipe as JSON for a person to read."""
    return json.dumps(json.loads(run.recipe.to_json()), ensure_ascii=False, indent=1)


def shortened(text: str) -> str:
    """A prompt as a sentence can hold it."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def state_name(words: Words, state: str) -> str:
    """A run's state as a person says it; whatever has not ended is in the making."""
    names = dict(words.gallery.states)
    return names.get(state, names["painting"])


def preset_name(words: Words, name: str) -> str:
    """A preset's title in the page's language; its name if it is not bundled any more."""
    titles = {each: title for each, title, _ in words.presets}
    known = available_presets()
    return titles.get(name) or (known[name].title if name in known else name)


def _item(words: Words, entry: Entry, thumbnail: bytes | None) -> str:
    state = state_name(words, entry.state)
    badge = "" if entry.state == "done" else f"<i>{escape(state)}</i>"
    facts = [preset_name(words, entry.preset)] if entry.preset else []
    facts += [words.seed_was.format(seed=entry.seed)]
    return (
        f'<li data-state="{entry.state}"><button type="button" data-run="{entry.id}" '
        f'aria-label="{escape(_alt(words, entry))}">{image(thumbnail, words.gallery.no_picture)}{badge}</button>'
        f'<button type="button" class="pg-star" data-star="{entry.id}" aria-pressed="{str(entry.favourite).lower()}" '
        f'aria-label="{escape(words.gallery.star)}">★</button>'
        f'<p title="{escape(entry.prompt)}">{escape(entry.prompt)}</p><small>{escape(" · ".join(facts))}</small>'
        f"<small>{time_of(entry)}</small></li>"
    )


def _turning(words: Words, shelf: Shelf) -> str:
    if shelf.pages == 1:
        return ""
    buttons = "".join(
        f'<button type="button" data-page="{page}"{"" if 0 <= page < shelf.pages else " disabled"}>{escape(name)}</button>'
        for page, name in (
            (shelf.page - 1, words.gallery.previous), (shelf.page + 1, words.gallery.following),
        )
    )  # fmt: skip
    return f'<nav class="pg-turning">{buttons}<span>{shelf.page + 1} / {shelf.pages}</span></nav>'


def _relatives(words: Words, title: str, entries: Sequence[Entry], thumbnails: Thumbnails) -> str:
    if not entries:
        return ""
    items = "".join(
        f'<li><button type="button" data-run="{entry.id}" title="{escape(entry.prompt)}" '
        f'aria-label="{escape(_alt(words, entry))}">{image(thumbnails.get(entry.id))}</button></li>'
        for entry in entries
    )
    return f'<h3>{escape(title)}</h3><ul class="pg-relatives">{items}</ul>'


def image(thumbnail: bytes | None, without: str = "") -> str:
    """A small picture, or what is said in its place. What surrounds it says what it shows."""
    if thumbnail is None:
        return f"<span>{escape(without)}</span>"
    data = base64.b64encode(thumbnail).decode()
    return f'<img src="data:image/webp;base64,{data}" alt="" decoding="async">'


def _alt(words: Words, entry: Entry) -> str:
    return words.gallery.alt.format(
        prompt=entry.prompt,
        state=state_name(words, entry.state),
        seed=entry.seed,
        time=time_of(entry),
    )


def time_of(entry: Entry) -> str:
    """When a run was begun: the day and the time of day."""
    return f"{entry.started:%Y-%m-%d %H:%M}"
