"""HTML of the Gallery tab and the side bar: lists of runs, one run with its facts, and curves as SVG.

Clicks are read from attributes: ``data-run`` opens a run, ``data-star`` marks it as a favourite, ``data-page``
goes to a page, ``data-undo`` restores; in the side bar, ``data-looks`` searches by picture content and
``data-all`` opens the gallery.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from urllib.parse import quote

from pixgen.recipe.presets import available_presets
from pixgen.studio import Run
from pixgen.studio.gallery.entries import Entry
from pixgen.studio.gallery.gallery import RunDetails
from pixgen.studio.runs.curve import Column
from pixgen.ui import canvas
from pixgen.ui.create.panels.settings import loss_name
from pixgen.ui.gallery.queries import RunPage
from pixgen.ui.i18n import Translator
from pixgen.ui.status import duration

_WIDTH, _HEIGHT = 560, 150  # of the drawing, which the page scales
_EDGE = 6  # above and below the lines
_MOST = 8  # lines; each has its own colour in page.css


def chart(title: str, steps: Sequence[int], columns: Mapping[str, Column], *, alt: str) -> str:
    """A line chart with its legend as SVG; empty without data.

    ``alt`` is the description of a line, a template of ``{name}``, ``{first}`` and ``{last}``.
    """
    lines = {
        name: points
        for name, column in list(columns.items())[:_MOST]
        if len(points := [(step, y) for step, y in zip(steps, column, strict=True) if y is not None]) > 1
    }
    if not lines:
        return ""
    heights = [y for points in lines.values() for _, y in points]
    low, high = min(heights), max(heights)
    across = (_WIDTH / max(1, steps[-1] - steps[0]), -steps[0])
    down = ((_HEIGHT - 2 * _EDGE) / ((high - low) or 1.0), low)
    drawn = "".join(
        f'<polyline class="pg-line-{number}" points="{_points(points, across, down)}"/>'
        for number, points in enumerate(lines.values())
    )
    told = [
        alt.format(name=name, first=_figure(points[0][1]), last=_figure(points[-1][1]))
        for name, points in lines.items()
    ]
    legend = "".join(
        f'<li class="pg-line-{number}"><span title="{escape(name)}">{escape(name)}</span>'
        f"<b>{_figure(points[-1][1])}</b></li>"
        for number, (name, points) in enumerate(lines.items())
    )
    return (
        f'<figure class="pg-curve"><figcaption>{escape(title)}</figcaption>'
        f"<div><small>{_figure(high)}</small><small>{_figure(low)}</small>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape("; ".join(told))}">{drawn}</svg></div>'
        f"<p><small>{steps[0]}</small><small>{steps[-1]}</small></p><ul>{legend}</ul></figure>"
    )


def _points(points: Sequence[tuple[int, float]], across: tuple, down: tuple) -> str:
    return " ".join(
        f"{(step + across[1]) * across[0]:.1f},{_HEIGHT - _EDGE - (y - down[1]) * down[0]:.1f}"
        for step, y in points
    )


def _figure(value: float) -> str:
    return f"{value:.3g}"


_LONGEST = 60  # characters of a prompt in a sentence

Thumbnails = dict[str, bytes | None]


def grid(say: Translator, page: RunPage) -> str:
    """A page of runs as a grid, with links to the other pages."""
    if not page.entries:
        title, more = (
            (say("The trash is empty."), say("Deleted pictures stay here until you empty the trash."))
            if page.trashed
            else (
                say("Nothing has been painted yet."),
                say("Every picture that you start is kept here."),
            )
            if page.everything
            else (say("No matching pictures."), say("Try another search, or fewer filters."))
        )
        return f'<div class="pg-shelf-empty"><h2>{escape(title)}</h2><p>{escape(more)}</p></div>'
    items = "".join(
        _item(say, entry, thumbnail) for entry, thumbnail in zip(page.entries, page.thumbnails, strict=True)
    )
    return (
        f'<ul class="pg-shelf" aria-label="{escape(say("Your pictures"))}">{items}</ul>{_turning(say, page)}'
    )


def place(say: Translator, page: RunPage) -> str:
    """The range of runs that is shown, of how many."""
    if not page.entries:
        return ""
    first = page.first + 1
    said = say(
        "{first} to {last} of {total}",
        first=f"{first:,}",
        last=f"{first + len(page.entries) - 1:,}",
        total=f"{page.total:,}",
    )
    return f'<p class="pg-shelf-place" role="status">{escape(said)}</p>'


def done(said: str, undo: str = "", *, run: str = "") -> str:
    """A message about what was done, with an undo button."""
    button = f'<button type="button" data-undo="{escape(run)}">{escape(undo)}</button>' if undo else ""
    return f'<p class="pg-undo" role="status"><span>{escape(said)}</span>{button}</p>'


def picture(say: Translator, opened: RunDetails, film: str) -> str:
    """The picture of a run, and its video, which is at the address ``film`` if there is one."""
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
        shown = canvas.picture_html(say, data, kind="png", alt=alt, size=size)
    if not film:
        return shown
    return (
        f'{shown}<details class="pg-filmed"><summary>{escape(say("Video"))}</summary>'
        f'<video controls muted loop playsinline preload="metadata" src="{escape(film)}" '
        f'width="{recipe.width}" height="{recipe.height}" aria-label="{escape(recipe.title)}"></video></details>'
    )


def facts(say: Translator, opened: RunDetails, thumbnails: Thumbnails, *, link: str) -> str:
    """A run's prompt, metrics, curves, relatives and recipe; ``link`` is the query of an address that brings back
    its settings."""
    run, entry, curve = opened.run, opened.entry, opened.curve
    waited = run.stopped_in_queue
    state = say("Stopped before it started") if waited else state_name(say, entry.state)
    step = say("step {step} of {steps}", step=run.step, steps=run.recipe.steps)
    line = [
        say("in the trash") if entry.trashed else state,
        *([] if waited else [step]),
        *([preset_name(say, entry.preset)] if entry.preset else []),
        say("seed {seed}", seed=entry.seed),
        f"{entry.width} × {entry.height}",
        *([] if waited else [duration(say, run.seconds)]),
        time_of(entry),
    ]
    curves = chart(
        say("Similarity to the prompts"),
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
            (say("Continued as"), opened.children),
            (say("Other seeds"), opened.siblings),
        )
    )
    notice = say(run.notice)
    notice = f'<p class="pg-notice">{escape(notice)}</p>' if notice else ""
    figures = "".join(f"<span>{escape(each)}</span>" for each in line)
    return (
        f'<article class="pg-facts" data-opened="{entry.id}" data-link="{escape(link)}"><h2>{escape(entry.prompt)}</h2>'
        f'<p class="pg-line">{figures}</p>{notice}'
        + (f"<h3>{escape(say('Progress'))}</h3>{curves}" if curves else "")
        + f"{relatives}<details><summary>{escape(say('Recipe'))}</summary><pre>{escape(indented(opened.run))}</pre>"
        "</details></article>"
    )


def indented(run: Run) -> str:
    """A run's recipe as indented JSON."""
    return json.dumps(json.loads(run.recipe.to_json()), ensure_ascii=False, indent=1)


def shortened(text: str) -> str:
    """A prompt, shortened to fit into a sentence."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def state_name(say: Translator, state: str) -> str:
    """A run's state in the page's language; a run that has not ended is painting."""
    names = {
        "": say("any"),
        "painting": say("painting"),
        "done": say("done"),
        "stopped": say("stopped"),
        "failed": say("failed"),
    }
    return names.get(state, names["painting"])


def preset_name(say: Translator, name: str) -> str:
    """A preset's title in the page's language; its name if it is no longer bundled."""
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
        f'<input type="checkbox" class="pg-select" data-select="{entry.id}" '
        f'aria-label="{escape(say("Select “{prompt}”", prompt=shortened(entry.prompt)))}">'
        f'<p title="{escape(entry.prompt)}">{escape(entry.prompt)}</p><small>{escape(" · ".join(facts))}</small>'
        f"<small>{time_of(entry)}</small></li>"
    )


def _turning(say: Translator, page: RunPage) -> str:
    if page.pages == 1:
        return ""
    buttons = "".join(
        f'<button type="button" data-page="{number}"{"" if 0 <= number < page.pages else " disabled"}>{escape(name)}</button>'
        for number, name in ((page.page - 1, say("Previous")), (page.page + 1, say("Next")))
    )
    return f'<nav class="pg-turning">{buttons}<span>{page.page + 1} / {page.pages}</span></nav>'


def _relatives(say: Translator, title: str, entries: Sequence[Entry], thumbnails: Thumbnails) -> str:
    if not entries:
        return ""
    items = "".join(
        f'<li><button type="button" data-run="{entry.id}" title="{escape(entry.prompt)}" '
        f'aria-label="{escape(_alt(say, entry))}">{image(thumbnails.get(entry.id))}</button></li>'
        for entry in entries
    )
    return f'<h3>{escape(title)}</h3><ul class="pg-relatives">{items}</ul>'


def image(thumbnail: bytes | None, without: str = "") -> str:
    """A thumbnail, or a text in its place; its description belongs to the element around it."""
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
    """When a run was started: date and time."""
    return f"{entry.started:%Y-%m-%d %H:%M}"


def runs(say: Translator, page: RunPage, *, today: date) -> str:
    """The side bar's list of runs, with a link to the others."""
    if page.everything and not page.entries:
        return f"<p>{escape(say('Nothing has been painted yet.'))} {escape(say('Every picture that you start is kept here.'))}</p>"
    shown = _list(say, say("Your pictures"), page, today=today)
    if page.total > len(page.entries):
        shown += _button("all", say("All {count} in the gallery", count=f"{page.total:,}"))
    return shown if page.everything else shown + _button("looks", say("Search by picture content too"))


def alike(say: Translator, text: str, found: RunPage | str, *, today: date | None = None) -> str:
    """The runs whose pictures match a text, or a message."""
    if isinstance(found, RunPage) and found.entries:
        shown = _list(say, say("Matches by content"), found, today=today)
    else:
        shown = f"<p>{escape(found if isinstance(found, str) else say('No matching pictures.'))}</p>"
    asked = quote(text, safe="!'()*~")  # as a browser's encodeURIComponent writes it
    return (
        f'<section data-words="{escape(asked)}"><h3>{escape(say("Matches by content"))}</h3>{shown}</section>'
    )


def said(say: Translator, page: RunPage) -> str:
    """The number of matching runs; empty without a query."""
    if page.everything:
        return ""
    told = say("{count} found", count=f"{page.total:,}") if page.total else say("No matching pictures.")
    return f"<p>{escape(told)}</p>"


def _list(say: Translator, title: str, page: RunPage, *, today: date | None) -> str:
    items = "".join(
        _side_item(say, entry, thumbnail, today=today)
        for entry, thumbnail in zip(page.entries, page.thumbnails, strict=True)
    )
    return f'<ul aria-label="{escape(title)}">{items}</ul>' if items else ""


def _side_item(say: Translator, entry: Entry, thumbnail: bytes | None, *, today: date | None) -> str:
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
