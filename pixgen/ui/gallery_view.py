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
from pixgen.ui.i18n import Translator
from pixgen.ui.losses import loss_name
from pixgen.ui.status import duration

_LONGEST = 60  # letters of a prompt in a sentence

Thumbnails = dict[str, bytes | None]


def grid(say: Translator, shelf: Shelf) -> str:
    """A page of pictures, and how to turn it."""
    if not shelf.entries:
        title, more = (
            (say("The bin is empty."), say("What you delete lies here until you empty it."))
            if shelf.binned
            else (
                say("Nothing has been painted yet."),
                say("Every picture is kept here as soon as you begin it."),
            )
            if shelf.everything
            else (say("No picture is like that."), say("Ask for less, or for something else."))
        )
        return f'<div class="pg-shelf-empty"><h2>{escape(title)}</h2><p>{escape(more)}</p></div>'
    items = "".join(
        _item(say, entry, thumbnail)
        for entry, thumbnail in zip(shelf.entries, shelf.thumbnails, strict=True)
    )
    return f'<ul class="pg-shelf" aria-label="{escape(say("Your pictures"))}">{items}</ul>{_turning(say, shelf)}'


def place(say: Translator, shelf: Shelf) -> str:
    """Which of how many are shown."""
    if not shelf.entries:
        return ""
    first = shelf.first + 1
    said = say(
        "{first} to {last} of {total}",
        first=f"{first:,}",
        last=f"{first + len(shelf.entries) - 1:,}",
        total=f"{shelf.total:,}",
    )
    return f'<p class="pg-shelf-place" role="status">{escape(said)}</p>'


def done(said: str, undo: str = "", *, run: str = "") -> str:
    """What was just done, and a button that takes it back."""
    button = (
        f'<button type="button" data-undo="{escape(run)}">{escape(undo)}</button>' if undo else ""
    )
    return f'<p class="pg-undo" role="status"><span>{escape(said)}</span>{button}</p>'


def picture(say: Translator, opened: Opened, film: str) -> str:
    """The picture of a run, and its film, which is at the address ``film`` if there is one."""
    run = opened.run
    recipe, data = run.recipe, run.picture.read_bytes() if run.picture.is_file() else None
    if data is None:
        shown = f'<figure class="pg-mat"><div class="pg-invitation"><p>{escape(say("no picture yet"))}</p></div></figure>'
    else:
        alt = (
            say("{prompt}, finished after {steps} steps")
            if run.state == "done"
            else say("{prompt}, stopped at step {step} of {steps}")
        )
        alt = alt.format(prompt=recipe.title, step=run.step, steps=recipe.steps)
        size = (recipe.width, recipe.height)
        shown = canvas.of_picture(say, data, kind="png", alt=alt, size=size)
    if not film:
        return shown
    return (
        f'{shown}<details class="pg-filmed"><summary>{escape(say("Film"))}</summary>'
        f'<video controls muted loop playsinline preload="none" src="{escape(film)}" '
        f'width="{recipe.width}" height="{recipe.height}" aria-label="{escape(recipe.title)}"></video></details>'
    )


def facts(say: Translator, opened: Opened, thumbnails: Thumbnails) -> str:
    """What is known of a run: its words, figures, curves, relatives and recipe."""
    run, entry, curve = opened.run, opened.entry, opened.curve
    waited = run.stopped_waiting
    state = say("Stopped before it began") if waited else state_name(say, entry.state)
    step = say("step {step} of {steps}", step=run.step, steps=run.recipe.steps)
    line = [
        say("in the bin") if entry.binned else state,
        *([] if waited else [step]),
        *([preset_name(say, entry.preset)] if entry.preset else []),
        say("seed {seed}", seed=entry.seed), f"{entry.width} × {entry.height}",
        *([] if waited else [duration(say, run.seconds)]), time_of(entry),
    ]  # fmt: skip
    curves = chart(
        say("Likeness to the words"),
        curve.steps,
        curve.similarities,
        alt=say("{name}: from {first} to {last}"),
    )
    losses = {loss_name(name, say): column for name, column in curve.losses.items()}
    curves += chart(say("Losses"), curve.steps, losses, alt=say("{name}: from {first} to {last}"))
    relatives = "".join(
        _relatives(say, title, entries, thumbnails)
        for title, entries in (
            (say("Made from"), opened.parents),
            (say("What it became"), opened.children),
            (say("With other seeds"), opened.siblings),
        )
    )
    notice = say(run.notice)
    notice = f'<p class="pg-notice">{escape(notice)}</p>' if notice else ""
    figures = "".join(f"<span>{escape(each)}</span>" for each in line)
    return (
        f'<article class="pg-facts" data-opened="{entry.id}"><h2>{escape(entry.prompt)}</h2>'
        f'<p class="pg-line">{figures}</p>{notice}'
        + (f"<h3>{escape(say('How it went'))}</h3>{curves}" if curves else "")
        + f"{relatives}<details><summary>{escape(say('Recipe'))}</summary><pre>{escape(indented(opened.run))}</pre>"
        "</details></article>"
    )


def indented(run: Run) -> str:
    """A run's recipe as JSON for a person to read."""
    return json.dumps(json.loads(run.recipe.to_json()), ensure_ascii=False, indent=1)


def shortened(text: str) -> str:
    """A prompt as a sentence can hold it."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def state_name(say: Translator, state: str) -> str:
    """A run's state as a person says it; whatever has not ended is in the making."""
    names = {
        "": say("any"),
        "painting": say("in the making"),
        "done": say("done"),
        "stopped": say("stopped"),
        "failed": say("failed"),
    }
    return names.get(state, names["painting"])


def preset_name(say: Translator, name: str) -> str:
    """A preset's title in the page's language; its name if it is not bundled any more."""
    known = available_presets()
    return say(known[name].title) if name in known else name


def _item(say: Translator, entry: Entry, thumbnail: bytes | None) -> str:
    state = state_name(say, entry.state)
    badge = "" if entry.state == "done" else f"<i>{escape(state)}</i>"
    facts = [preset_name(say, entry.preset)] if entry.preset else []
    facts += [say("seed {seed}", seed=entry.seed)]
    return (
        f'<li data-state="{entry.state}"><button type="button" data-run="{entry.id}" '
        f'aria-label="{escape(_alt(say, entry))}">{image(thumbnail, say("no picture yet"))}{badge}</button>'
        f'<button type="button" class="pg-star" data-star="{entry.id}" aria-pressed="{str(entry.favourite).lower()}" '
        f'aria-label="{escape(say("Favourite"))}">★</button>'
        f'<p title="{escape(entry.prompt)}">{escape(entry.prompt)}</p><small>{escape(" · ".join(facts))}</small>'
        f"<small>{time_of(entry)}</small></li>"
    )


def _turning(say: Translator, shelf: Shelf) -> str:
    if shelf.pages == 1:
        return ""
    buttons = "".join(
        f'<button type="button" data-page="{page}"{"" if 0 <= page < shelf.pages else " disabled"}>{escape(name)}</button>'
        for page, name in (
            (shelf.page - 1, say("Previous")), (shelf.page + 1, say("Next")),
        )
    )  # fmt: skip
    return f'<nav class="pg-turning">{buttons}<span>{shelf.page + 1} / {shelf.pages}</span></nav>'


def _relatives(
    say: Translator, title: str, entries: Sequence[Entry], thumbnails: Thumbnails
) -> str:
    if not entries:
        return ""
    items = "".join(
        f'<li><button type="button" data-run="{entry.id}" title="{escape(entry.prompt)}" '
        f'aria-label="{escape(_alt(say, entry))}">{image(thumbnails.get(entry.id))}</button></li>'
        for entry in entries
    )
    return f'<h3>{escape(title)}</h3><ul class="pg-relatives">{items}</ul>'


def image(thumbnail: bytes | None, without: str = "") -> str:
    """A small picture, or what is said in its place. What surrounds it says what it shows."""
    if thumbnail is None:
        return f"<span>{escape(without)}</span>"
    data = base64.b64encode(thumbnail).decode()
    return f'<img src="data:image/webp;base64,{data}" alt="" decoding="async">'


def _alt(say: Translator, entry: Entry) -> str:
    return say(
        "{prompt}, {state}, seed {seed}, {time}",
        prompt=entry.prompt,
        state=state_name(say, entry.state),
        seed=entry.seed,
        time=time_of(entry),
    )


def time_of(entry: Entry) -> str:
    """When a run was begun: the day and the time of day."""
    return f"{entry.started:%Y-%m-%d %H:%M}"
