"""The Experiment tab's actions: grids and strips as generators of screen updates; no gradio here."""

import json
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from pixgen.errors import PixgenError, RecipeError, StudioError
from pixgen.models import available_clips, available_vqgans
from pixgen.recipe.options import Options
from pixgen.recipe.prompts import Prompt, Scene, parse
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.recipe.wildcards import expand_wildcards
from pixgen.studio import Run, Studio
from pixgen.studio.grids.grid import Grid, GridJob, Plan, draw_sheet, save_sheet
from pixgen.studio.grids.plans import Axis, plan_grid, plan_strip, read_axis
from pixgen.studio.runs.inputs import named_pictures
from pixgen.ui.create.drawn import DrawnInputs, add_drawn_inputs
from pixgen.ui.create.form import CreateForm
from pixgen.ui.create.form_recipe import to_recipe
from pixgen.ui.create.panels.styles import chosen_styles
from pixgen.ui.errors import guard_stream
from pixgen.ui.experiment.view import MOST_LIVE, Sheet
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.events import read_form_number
from pixgen.ui.session import BrowserSession

MOST_IN_PUBLIC = 16  # pictures of one grid
_REMEMBERED = 64  # grids that are remembered

_RATE, _RATE_OF_LARGE = 2.0, 0.5  # sheets a second
_NOTHING = DrawnInputs()


@dataclass(frozen=True, kw_only=True)
class GridForm:
    """The tab's form as typed values; all other settings come from the form of Create."""

    create: CreateForm
    kind: str = "grid"  # or "strip"
    grid_prompt: str | None = None
    across: str | None = None  # a field, and its values as they are typed
    across_values: str | None = None
    down: str | None = None
    down_values: str | None = None
    first: str | None = None  # the ends of a strip: words, and the path of a picture
    first_picture: str | None = None
    last: str | None = None
    last_picture: str | None = None
    count: int = 0
    strip_steps: int = 0

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "GridForm":
        """From values by the names of both forms' fields."""
        own = {each.name for each in fields(cls)} - {"create"}
        given = {name: values[name] for name in own if values.get(name) is not None}
        for name in ("count", "strip_steps"):
            given[name] = read_form_number(given.get(name) or 0, int, name=name)
        return cls(create=CreateForm.read(values), **given)


@dataclass(frozen=True)
class GridScreen:
    """What changes on the tab; None leaves a part as it is."""

    sheet: str | None = None  # HTML
    status: str | None = None  # HTML
    busy: bool | None = None
    grid: str | None = None  # its name, which the browser keeps
    session: str | None = None  # JSON: identifies a new visitor from then on
    file: Path | None = None  # the sheet as a picture
    resumable: bool = False  # when it is not busy: whether pictures are missing
    notice: str | None = None  # shown once, as a warning


class GridJobs:
    """The jobs of grids, by the grid's id. Any thread may call any method."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._jobs: OrderedDict[str, GridJob] = OrderedDict()

    def begin(self, grid: Grid, *, owner: str) -> GridJob:
        """Paint the missing cells of a grid."""
        self._jobs[grid.id] = GridJob(grid, owner=owner)
        while len(self._jobs) > _REMEMBERED:
            self._jobs.popitem(last=False)
        return self._jobs[grid.id]

    def job(self, name: str, *, owner: str) -> GridJob | None:
        """The job of that grid, if it exists and belongs to the visitor."""
        job = self._jobs.get(name)
        return job if job is not None and job.owner == owner else None

    def grid(self, name: str, *, owner: str) -> Grid:
        """The grid of that name, if it belongs to the visitor. Raises StudioError."""
        grid = Grid.read(self.studio, name)
        if grid.owner != owner:
            raise StudioError("There is no grid “{name}” in this folder.", name=name[:60])
        return grid


def paint(
    jobs: GridJobs, form: GridForm, visitor: BrowserSession, *, say: Translator
) -> Iterator[GridScreen]:
    """Paint the form's grid or strip, and watch it."""
    yield GridScreen(busy=True, session=json.dumps(dict(visitor.stored)))
    run = visitor.run(jobs.studio)
    with ExitStack() as files:
        drawn = DrawnInputs.read(form.create, files=files)
        plan = plan_of(form, drawn=drawn, run=run)
        last = () if run is None else (str(run.picture),)
        grid = _made(jobs, plan, visitor, (*drawn.files, *last))
    yield from watch(jobs.begin(grid, owner=visitor.owner), visitor, say=say)


def _made(jobs: GridJobs, plan: Plan, visitor: BrowserSession, trusted: Collection[str]) -> Grid:
    if jobs.studio.policy.public and len(plan.cells) > MOST_IN_PUBLIC:
        raise RecipeError(
            "A grid may have at most {most} pictures here, not {count}: give fewer values.",
            most=MOST_IN_PUBLIC,
            count=len(plan.cells),
        )
    return Grid.make(jobs.studio, plan, owner=visitor.owner, trusted=trusted)


def go_on(jobs: GridJobs, name: object, visitor: BrowserSession, *, say: Translator) -> Iterator[GridScreen]:
    """Paint the missing cells of the visitor's last grid."""
    grid = jobs.grid(str(name), owner=visitor.owner)
    yield from watch(jobs.begin(grid, owner=visitor.owner), visitor, say=say)


def come_back(
    jobs: GridJobs, name: object, visitor: BrowserSession, *, say: Translator
) -> Iterator[GridScreen]:
    """After a reload or a change of tabs: continue watching the visitor's grid, or show its result."""
    yield GridScreen()  # gradio blanks every output of a generator that yields nothing
    if not name:
        return
    job = jobs.job(str(name), owner=visitor.owner)
    if job is not None:
        yield from watch(job, visitor, say=say)
        return
    try:
        grid = jobs.grid(str(name), owner=visitor.owner)
    except PixgenError:
        return
    yield _final_screen(Sheet(grid, say), None, say)


def watch(job: GridJob, visitor: BrowserSession, *, say: Translator) -> Iterator[GridScreen]:
    """Yield the screens of a grid until it ends. Closing the generator does not stop the grid; a newer
    watcher of the same page ends it."""
    mark = visitor.watchers.enter(visitor.page)
    sheet, large = Sheet(job.grid, say), len(job.grid.plan.cells) > MOST_LIVE
    yield GridScreen(grid=job.grid.id, busy=True)
    shown = None
    for _ in job.watch(rate=_RATE_OF_LARGE if large else _RATE):
        if not visitor.is_newest(mark):
            return
        if job.ended:
            break
        table = sheet.html(job)
        # Each screen repeats the lasting parts, because a slow browser shows only the latest one.
        yield GridScreen(
            sheet=table if table != shown else None, status=sheet.status(job), grid=job.grid.id, busy=True
        )
        shown = table
    yield _final_screen(sheet, job, say)


def stop(jobs: GridJobs, name: object, visitor: BrowserSession) -> None:
    """Stop the visitor's grid after the current step; its watcher shows the end."""
    if (job := jobs.job(str(name), owner=visitor.owner)) is not None:
        job.stop()


def with_errors(screens: Iterator[GridScreen], *, say: Translator) -> Iterator[GridScreen]:
    """The same screens; an error becomes a notice on the last one."""
    return guard_stream(screens, say, lambda message: GridScreen(notice=message, busy=False))


def plan_of(form: GridForm, *, drawn: DrawnInputs = _NOTHING, run: Run | None = None) -> Plan:
    """The grid or strip that the form describes; other settings come from the form of Create.

    Args:
        drawn: what was drawn on the page.
        run: the visitor's last run, for a start from its picture.

    Raises RecipeError.
    """
    if form.kind == "strip":
        return _strip(form)
    typed = (form.grid_prompt or "").strip()
    create = replace(form.create, prompt=typed or form.create.prompt)
    base, _ = add_drawn_inputs(to_recipe(create), create, drawn, run)
    axes = _axes(form)
    varied = len(expand_wildcards(create.prompt or "")) > 1
    if not axes and not varied:
        raise RecipeError(
            "Nothing varies in this grid: choose a field and its values, or write alternatives such as a "
            "{red|blue} fox."
        )
    options, over = Options(recipe=base), {axis.field for axis in axes}
    if "preset" in over and "init" not in over and base.init.picture:
        options = replace(options, more={"init": base.init.model_dump()})
    pictures: Scene = ()
    if varied or "prompt" in over:
        left_out = (create.leave_out or "").strip()
        options = replace(
            options,
            prompt=create.prompt,
            negative=(left_out,) if left_out else (),
            styles=chosen_styles(create.styles),
        )
        uploads = {str(path) for path in create.pictures or ()}
        pictures = tuple(prompt for prompt in base.prompts[0] if prompt.picture in uploads)
    plan = plan_grid(options, axes)
    cells = tuple(
        replace(each, recipe=_check_allowed(drawn.with_regions(_with(each.recipe, pictures)), base))
        for each in plan.cells
    )
    return replace(plan, cells=cells)


def _axes(form: GridForm) -> list[Axis]:
    """The second field goes down, as the first of ``plan_grid`` does."""
    axes = []
    for field, typed in ((form.down, form.down_values), (form.across, form.across_values)):
        said = (typed or "").strip()
        if field and not said:
            raise RecipeError("“{field}” has no values: write for example 1-4, or 0.2, 0.5, 1.", field=field)
        if field:
            axes.append(read_axis(f"{field}={said}"))
    return axes


def _strip(form: GridForm) -> Plan:
    pictures = (form.first_picture, form.last_picture)
    ends = [_end(text, picture) for text, picture in zip((form.first, form.last), pictures, strict=True)]
    create = replace(form.create, prompt="-", leave_out="", pictures=None, start=None)
    base = to_recipe(create)
    options = Options(recipe=base, seed=base.seed, steps=form.strip_steps or None)
    of_texts = all(term.text and term.weight > 0 for end in ends for term in end)
    sketch: Literal["mixed", "things"] = "things" if of_texts and form.strip_steps else "mixed"
    plan = plan_strip(ends, options, count=form.count, sketch=sketch)
    uploads = {picture for picture in pictures if picture}
    for cell in plan.cells:
        _check_allowed(cell.recipe, base, uploads=uploads)
    return plan


def _end(typed: str | None, picture: str | None) -> Scene:
    text = (typed or "").strip()
    if picture:
        more = parse(text)[0] if text else ()
        return (Prompt(picture=picture), *more)
    if not text:
        raise RecipeError("A strip needs two ideas: give text or a picture for each.")
    return parse(text)[0]


def _with(recipe: Recipe, pictures: Scene) -> Recipe:
    if not pictures:
        return recipe
    return make_recipe(recipe.model_dump(), {"prompts": [(*scene, *pictures) for scene in recipe.prompts]})


def _check_allowed(
    recipe: Recipe, base: Recipe, *, uploads: frozenset[str] | set[str] = frozenset()
) -> Recipe:
    """The recipe, if it names no file and no model that the form does not offer: visitors are not the
    server's owner. Raises RecipeError."""
    models = {*available_vqgans(), *available_clips(), base.model, *base.clip_names}
    used = {recipe.model, *recipe.clip_names}
    sketcher = recipe.init.sketch.model == base.init.sketch.model
    if named_pictures(recipe) - named_pictures(base) - uploads or used - models or not sketcher:
        raise RecipeError(
            "Files and models cannot be given by path on this page: choose one that Create offers."
        )
    return recipe


def _final_screen(sheet: Sheet, job: GridJob | None, say: Translator) -> GridScreen:
    grid, file = sheet.grid, None
    runs = grid.runs()
    if any(run is not None and run.state == "done" for run in runs):
        file = grid.folder / "sheet.png"
        save_sheet(draw_sheet(grid.plan, runs), file, plan=grid.plan)
    return GridScreen(
        sheet=sheet.html(None),
        status=sheet.status(job),
        busy=False,
        file=file,
        resumable=any(run is None or run.state != "done" for run in runs),
        notice=None if job is None or job.error is None else say(job.error.message),
    )
