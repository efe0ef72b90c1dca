"""HTML of a grid (a table of pictures with their similarities, and its progress) and of the comparison of two runs.

Two runs are compared by one picture over the other with a slider, and by their differences.
"""

import base64
import io
import json
import math
from collections.abc import Sequence
from functools import cache
from html import escape

from PIL import Image

from pixgen.errors import PictureError, StudioError
from pixgen.images import open_picture
from pixgen.recipe.base import Setting, settings_of
from pixgen.recipe.recipe import Recipe
from pixgen.studio import Job, Studio
from pixgen.studio.gallery.compare import Difference, differences
from pixgen.studio.gallery.entries import RunFilter
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.grids.grid import Grid, GridJob
from pixgen.studio.runs.run import Run, mean_similarity
from pixgen.ui import status
from pixgen.ui.gallery.view import preset_name
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession

THUMBNAIL = 192  # pixels of the longer side
MOST_LIVE = 36  # cells up to which the current cell is shown while it is painted
MOST_LISTED = 100  # the newest


class Sheet:
    """Draws one grid again and again; each cell's picture is read once, when it is done."""

    def __init__(self, grid: Grid, say: Translator) -> None:
        self.grid, self.say = grid, say
        self._pictures: dict[int, str] = {}  # by cell

    def html(self, job: GridJob | None) -> str:
        """The table in its current state; ``job`` is the one that paints it, if any."""
        plan, runs = self.grid.plan, self.grid.runs()
        current = {} if job is None else job.current_cells
        columns = "".join(f'<th scope="col">{escape(title)}</th>' for title in plan.columns)
        corner = "<td></td>" if any(plan.rows) else ""
        rows = []
        for row, title in enumerate(plan.rows):
            head = f'<th scope="row">{escape(title)}</th>' if corner else ""
            cells = "".join(
                self._cell(index, runs, current.get(index))
                for index in range(row * len(plan.columns), (row + 1) * len(plan.columns))
            )
            rows.append(f"<tr>{head}{cells}</tr>")
        caption = f"<caption>{escape(plan.title)}</caption>" if plan.title else ""
        return (
            f'<section class="pg-sheet" tabindex="0" aria-label="{escape(self.say("Grid"))}" '
            f'style="--columns: {len(plan.columns)}; --head: {130 if corner else 0}px"><table>{caption}'
            f"<thead><tr>{corner}{columns}</tr></thead><tbody>{''.join(rows)}</tbody></table></section>"
        )

    def status(self, job: GridJob | None) -> str:
        """The bar and the line above it."""
        say, runs = self.say, self.grid.runs()
        done = sum(run is not None and run.state == "done" for run in runs)
        error = None if job is None else job.error
        painting = job is not None and not job.ended
        said, state = (
            (say("Couldn't paint"), "failed")
            if error is not None
            else (say("Painting"), "painting")
            if painting
            else (say("Done"), "done")
            if done == len(runs)
            else (say.pgettext("painting", "Stopped"), "stopped")
        )
        more = [say.pgettext("grid", "{done} of {total} pictures", done=done, total=len(runs))]
        if painting and (left := _seconds_left(runs, self.grid.at_once)) is not None:
            more.append(say("about {time} left", time=status.duration(self.say, left)))
        return status.status_section(
            state,
            status.status_line(said, more, progress=(done, len(runs)), say=self.say),
            notice="" if error is None else self.say(error.message),
        )

    def _cell(self, index: int, runs: list[Run | None], job: Job | None) -> str:
        say, run = self.say, runs[index]
        if job is not None and len(runs) <= MOST_LIVE:
            frame, title = job.frame, self._title(index) or job.recipe.title
            if frame is None:
                return _picture_html(None, f"{title}: {self.say('Getting ready')}", "live")
            said = self.say(
                "{prompt}, step {step} of {steps}",
                prompt=title,
                step=max(0, frame.step),
                steps=frame.steps,
            )
            return _picture_html(_data(Image.fromarray(frame.picture)), said, "live")
        picture = None if run is None or run.state != "done" else self._kept(index, run)
        if picture is None:
            return _picture_html(None, say("not painted yet"), "missing")
        match = mean_similarity(run)
        figure = "–" if match is None else f"{match:.3f}"
        title = self._title(index) or run.recipe.title
        label = escape(
            say(
                "{title}: similarity {similarity}. Open it on Create",
                title=title,
                similarity=figure,
            )
        )
        return (
            f'<td><button type="button" data-open-run="{run.id}" aria-label="{label}" title="{label}">'
            f'<img src="{picture}" alt=""></button><b>{figure}</b></td>'
        )

    def _title(self, index: int) -> str:
        row, column = divmod(index, len(self.grid.plan.columns))
        return ", ".join(filter(None, (self.grid.plan.rows[row], self.grid.plan.columns[column])))

    def _kept(self, index: int, run: Run) -> str | None:
        if index not in self._pictures:
            try:
                self._pictures[index] = _data(open_picture(run.picture).convert("RGB"))
            except PictureError:  # thrown away meanwhile
                return None
        return self._pictures[index]


def empty(say: Translator) -> str:
    """The empty state, before the first grid."""
    return (
        f'<div class="pg-answers-empty"><h2>{escape(say("Change one setting and see what it does."))}</h2>'
        f"<p>{escape(say('Every cell is a picture: click one to open it on Create.'))}</p></div>"
    )


def _picture_html(picture: str | None, said: str, kind: str) -> str:
    shown = "" if picture is None else f'<img src="{picture}" alt="">'
    return f'<td class="{kind}"><span role="img" aria-label="{escape(said)}">{shown}</span><b>&nbsp;</b></td>'


def _data(picture: Image.Image) -> str:
    picture.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BICUBIC)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


def _seconds_left(runs: list[Run | None], at_once: int) -> float | None:
    """Estimated from the mean time of the finished cells: cells take about equally long, and so many are painted
    at once."""
    seconds = [run.seconds for run in runs if run is not None and run.state == "done"]
    return sum(seconds) / len(seconds) * math.ceil((len(runs) - len(seconds)) / at_once) if seconds else None


def run_choices(gallery: Gallery, visitor: BrowserSession, say: Translator) -> list[tuple[str, str]]:
    """The newest runs to choose from, as ``(label, id)``."""
    entries = gallery.find(RunFilter(), owner=visitor.owner, count=MOST_LISTED)
    return [
        (
            say(
                "{prompt} · {time}",
                prompt=_short(entry.prompt),
                time=entry.id[9:11] + ":" + entry.id[11:13],
            ),
            entry.id,
        )
        for entry in entries
    ]


def comparison_html(
    studio: Studio, one: object, other: object, visitor: BrowserSession, *, say: Translator
) -> str:
    """One run's picture over the other's. Raises StudioError if the visitor may not see one of them."""
    runs = [_run(studio, each, visitor) for each in (one, other)]
    left, right = runs
    found = differences_html(say, differences(left.recipe, right.recipe))
    figures = "".join(
        f"<span><strong>{escape(_short(run.recipe.title))}</strong> {_figure(run)}</span>" for run in runs
    )
    ratio = left.recipe.width / left.recipe.height
    return (
        f'<figure class="pg-pair-of-runs" style="--at: 50%"><div style="aspect-ratio: {ratio:.4f}">'
        f"{_image(say, right)}{_image(say, left)}"
        f'<input type="range" min="0" max="100" value="50" aria-label="{escape(say("Comparison slider"))}" data-slide></div>'
        f"<figcaption><p>{figures}</p>{found}</figcaption></figure>"
    )


def differences_html(say: Translator, found: Sequence[Difference]) -> str:
    """The differences of two recipes in words: the settings by their titles, with both values."""
    if not found:
        return f"<p>{escape(say('The recipes are the same.'))}</p>"
    items = "".join(
        f"<dt>{escape(_title(say, name))}</dt><dd>{escape(_worded(say, name, before))} → "
        f"{escape(_worded(say, name, after))}</dd>"
        for name, before, after in found
    )
    return f'<dl class="pg-differences">{items}</dl>'


@cache
def _settings() -> dict[str, Setting]:
    return {setting.path: setting for setting in settings_of(Recipe)}


def _title(say: Translator, name: str) -> str:
    """The title of a recipe's field; the name of one that has none."""
    titles = {
        "prompt": say("Prompt"),
        "prompts": say("Prompt"),
        "changes": say("Changes while painting"),
        "preset": say("Preset"),
        "seed": say("Seed"),
        "steps": say("Steps"),
        "width": say("Width"),
        "height": say("Height"),
    }
    return titles.get(name) or (say(_settings()[name].title) if name in _settings() else name)


def _worded(say: Translator, name: str, value: str) -> str:
    """A value as ``differences`` writes it, in words."""
    setting = _settings().get(name)
    if setting is not None and value in (setting.choices or {}):
        return say(setting.choices[value])
    try:
        read = json.loads(value)
    except ValueError:
        return preset_name(say, value) if name == "preset" else value
    return _plain(say, read)


def _plain(say: Translator, value: object) -> str:
    if value is None or value == [] or value == "":
        return say("none")
    if isinstance(value, bool):
        return say("on") if value else say("off")
    if isinstance(value, list):
        return ", ".join(_plain(say, each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(say, each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _run(studio: Studio, run_id: object, visitor: BrowserSession) -> Run:
    run = studio.run(str(run_id or ""))
    if (studio.policy.public and run.owner != visitor.owner) or not run.picture.is_file():
        raise StudioError("This picture no longer exists.")
    return run


def _image(say: Translator, run: Run) -> str:
    data = base64.b64encode(run.picture.read_bytes()).decode()
    alt = say("{prompt}, seed {seed}", prompt=run.recipe.title, seed=run.recipe.seed)
    return f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}">'


def _figure(run: Run) -> str:
    match = mean_similarity(run)
    return "" if match is None else f"{match:.3f}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
