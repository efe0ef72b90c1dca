"""The Experiment tab: grids, strips, and two runs side by side."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gradio as gr

from pixgen.errors import StudioError
from pixgen.recipe.prompts import LONGEST_TEXT
from pixgen.studio import Studio
from pixgen.studio.gallery.gallery import Gallery
from pixgen.ui import html, status
from pixgen.ui.components import PICTURE_TYPES, QUIET, Parts, servable
from pixgen.ui.create.form import EFFECT_UPLOADS, JOURNEY_INPUTS, LOSS_PICTURE, form_fields
from pixgen.ui.create.tab import save_form_event
from pixgen.ui.errors import error_toast, guard_handler, show_warning, toast_text
from pixgen.ui.experiment import actions, view
from pixgen.ui.experiment.actions import GridJobs, GridScreen
from pixgen.ui.i18n import Translator
from pixgen.ui.info.tab import filled_form, filled_names
from pixgen.ui.session import BrowserSession, Watchers

_OWN = (
    "kind", "grid_prompt", "across", "across_values", "down", "down_values",
    "first", "first_picture", "last", "last_picture", "count", "strip_steps",
)  # fmt: skip
_OF_CREATE = (
    "start_picture",
    "pictures",
    LOSS_PICTURE,
    *EFFECT_UPLOADS,
    *JOURNEY_INPUTS,
    "region_video",
    "drawn",
)  # beside the form's fields
_SHOWN = ("sheet", "status", "paint", "stop_grid", "go_on_grid", "download_sheet", "grid", "session")
_KEPT = {"secret": "kept-in-this-browser"}


def experiment_tab(studio: Studio, say: Translator, *, tabs: gr.Tabs, tab: gr.Tab, create: Parts) -> Parts:
    """Build the tab inside a ``gr.Blocks`` and connect it; its parts, by name.

    Args:
        tabs, tab: all tabs, and this one.
        create: the parts of the Create tab, whose form gives the settings that are not varied.
    """
    with gr.Row(elem_classes="pg-create pg-experiment"):
        with gr.Column(elem_classes="pg-words"):
            parts = _ask(say)
        with gr.Column(elem_classes="pg-stage"):
            parts |= _stage(say)
    parts["grid"] = gr.BrowserState("", storage_key="pixgen-grid", **_KEPT)
    _wire_kinds(parts)
    _wire_grids(studio, say, parts, create, tab=tab)
    _wire_comparing(studio, say, parts, create, tab=tab)
    _wire_opening(studio, say, parts, create, tabs=tabs)
    return parts


def _ask(say: Translator) -> Parts:
    parts: Parts = {
        "kind": gr.Radio(
            [
                (say("Grid: vary one or two settings"), "grid"),
                (say("Strip: from one idea to another"), "strip"),
                (say("Compare two pictures"), "compare"),
            ],
            value="grid",
            label=say("Type of experiment"),
            elem_id="pg-kind",
        )
    }
    with gr.Column(elem_classes="pg-fold") as parts["grid_fields"]:
        parts["grid_prompt"] = _text(
            say("Prompt"), say("as on Create, or a {red|blue} fox"), elem_id="pg-grid-prompt"
        )
        for place, label in (("across", say("Columns")), ("down", say("Rows (optional)"))):
            with gr.Row(elem_classes="pg-pair"):
                parts[place] = gr.Dropdown(
                    [
                        (say("nothing"), ""),
                        (say("seed"), "seed"),
                        (say("weight of prompt 1"), "weight of prompt 1"),
                        (say("weight of prompt 2"), "weight of prompt 2"),
                        (say("preset"), "preset"),
                        (say("steps"), "steps"),
                        (say("learning rate"), "optimizer.learning_rate"),
                        (say("cutouts"), "cutouts.count"),
                        (say("cutout set"), "cutouts.kind"),
                        (say("start"), "start"),
                        (say("prompt"), "prompt"),
                        (say("model"), "model"),
                        (say("size"), "size"),
                    ],
                    value="seed" if place == "across" else "",
                    label=label,
                    allow_custom_value=True,
                    min_width=110,
                    elem_id=f"pg-{place}",
                )
                parts[f"{place}_values"] = gr.Textbox(
                    "1-4" if place == "across" else "",
                    label=say("Values"),
                    max_lines=1,
                    min_width=110,
                    placeholder=say("1-4  or  0.2, 0.5, 1"),
                    max_length=LONGEST_TEXT,
                    elem_id=f"pg-{place}-values",
                )
    with gr.Column(visible=False, elem_classes="pg-fold pg-more") as parts["strip_fields"]:
        for name, label, example in (
            ("first", say.pgettext("strip", "From"), say("a red fox")),
            ("last", say("To"), say("a snowy owl")),
        ):
            parts[name] = _text(label, example, elem_id=f"pg-{name}")
            parts[f"{name}_picture"] = gr.File(
                label=say("Or a picture"),
                file_types=PICTURE_TYPES,
                height=92,
                elem_id=f"pg-{name}-picture",
            )
        parts["count"] = gr.Slider(2, 12, 7, step=1, label=say("Number of pictures"), buttons=[])
        parts["strip_steps"] = gr.Slider(
            0,
            200,
            15,
            step=1,
            label=say("Steps per picture"),
            info=say("0: quick sketches of the mixed ideas, which often show only colours and shapes."),
            buttons=[],
        )
    with gr.Column(elem_classes="pg-fold") as parts["painting_fields"]:
        with gr.Row(elem_classes="pg-go"):
            parts["paint"] = gr.Button(
                say("Paint the grid"),
                variant="primary",
                elem_id="pg-paint-grid",
                scale=3,
                min_width=120,
            )
            parts["stop_grid"] = gr.Button(
                say("Stop"), interactive=False, elem_id="pg-stop-grid", scale=1, min_width=80
            )
        gr.HTML(html.heading(say("Other settings come from Create")))
    with gr.Column(visible=False, elem_classes="pg-fold") as parts["compare_fields"]:
        for name, label in (("one", say("First picture")), ("other", say("Second picture"))):
            parts[name] = gr.Dropdown([], label=label, elem_id=f"pg-{name}-run")
        parts["compare"] = gr.Button(say("Compare"), variant="primary", elem_id="pg-compare")
    return parts


def _text(label: str, placeholder: str, *, elem_id: str) -> gr.Textbox:
    return gr.Textbox(
        label=label, placeholder=placeholder, max_lines=3, max_length=LONGEST_TEXT, elem_id=elem_id
    )


def _stage(say: Translator) -> Parts:
    parts: Parts = {
        "status": gr.HTML(status.idle_html(), elem_id="pg-grid-status"),
        "sheet": gr.HTML(view.empty(say), elem_id="pg-sheet"),
        "pair": gr.HTML("", visible=False, elem_id="pg-pair"),
    }
    with gr.Row(elem_classes="pg-grid-actions") as parts["actions"]:
        parts["download_sheet"] = gr.DownloadButton(
            say("Download grid"),
            visible=False,
            size="sm",
            min_width=0,
            elem_id="pg-download-sheet",
        )
        parts["go_on_grid"] = gr.Button(
            say("Paint missing pictures"),
            visible=False,
            size="sm",
            min_width=0,
            elem_id="pg-go-on-grid",
        )
    # Pressed by page.js when a cell is clicked.
    parts["open_run"] = gr.Button(visible="hidden", elem_id="pg-open-run")
    parts["run"] = gr.Textbox("", visible="hidden", label=say("Grid"))
    return parts


def _wire_kinds(parts: Parts) -> None:
    painted = ("painting_fields", "sheet", "status", "actions")
    kinds = {
        "grid": ("grid_fields", *painted),
        "strip": ("strip_fields", *painted),
        "compare": ("compare_fields", "pair"),
    }
    names = list(dict.fromkeys(name for shown in kinds.values() for name in shown))

    def choose(kind: str) -> tuple:
        return tuple(gr.update(visible=name in kinds[kind]) for name in names)

    parts["kind"].change(choose, parts["kind"], [parts[name] for name in names], queue=False, **QUIET)


def _wire_grids(studio: Studio, say: Translator, parts: Parts, create: Parts, *, tab: gr.Tab) -> None:
    jobs, watchers = GridJobs(studio), Watchers()
    names = [*_OWN, *form_fields(studio.policy), *_OF_CREATE]
    asked = [parts[name] if name in _OWN else create[name] for name in names]
    parts["session"] = create["session"]
    outputs = [parts[name] for name in _SHOWN]

    def known(request: gr.Request, session: object) -> BrowserSession:
        return BrowserSession.from_request(session, request, watchers=watchers)

    def shown(screens: Iterator[GridScreen]) -> Iterator[tuple]:
        for screen in actions.with_errors(screens, say=say):
            yield _updates(screen, parts)

    def paint(request: gr.Request, session: object, *values: Any) -> Iterator[tuple]:
        form = actions.GridForm.read(dict(zip(names, values, strict=True)))
        yield from shown(actions.paint(jobs, form, known(request, session), say=say))

    def go_on(request: gr.Request, session: object, grid: object) -> Iterator[tuple]:
        yield from shown(actions.go_on(jobs, grid, known(request, session), say=say))

    def come_back(request: gr.Request, session: object, grid: object) -> Iterator[tuple]:
        yield from shown(actions.come_back(jobs, grid, known(request, session), say=say))

    def stop(request: gr.Request, session: object, grid: object) -> Any:
        actions.stop(jobs, grid, known(request, session))
        return gr.update(interactive=False)

    session, watching = create["session"], {"outputs": outputs, "concurrency_limit": None, **QUIET}
    parts["paint"].click(
        paint,
        [session, *asked],
        **watching,
        js="(...values) => [...values.slice(0, -1), window.pixgenPad.drawn()]",
    )
    parts["go_on_grid"].click(go_on, [session, parts["grid"]], **watching)
    parts["stop_grid"].click(stop, [session, parts["grid"]], parts["stop_grid"], queue=False, **QUIET)
    # Gradio drops updates of a tab that is not open yet, so the grid is shown when the tab is selected.
    tab.select(come_back, [session, parts["grid"]], **watching)
    parts["kind"].change(
        lambda kind: say("Paint the strip") if kind == "strip" else say("Paint the grid"),
        parts["kind"],
        parts["paint"],
        queue=False,
        **QUIET,
    )


def _updates(screen: GridScreen, parts: Parts) -> tuple:
    """A screen as gradio's updates of ``_SHOWN``."""
    if screen.notice:
        gr.Warning(toast_text(screen.notice), duration=8)
    changes: dict[str, Any] = {
        name: value
        for name in ("sheet", "status", "grid", "session")
        if (value := getattr(screen, name)) is not None
    }
    if screen.busy is not None:
        changes["paint"] = gr.update(interactive=not screen.busy)
        changes["stop_grid"] = gr.update(interactive=screen.busy)
    if screen.busy:
        changes |= {name: gr.update(visible=False) for name in ("go_on_grid", "download_sheet")}
    if screen.busy is False and screen.sheet is not None:
        changes["go_on_grid"] = gr.update(visible=screen.resumable)
        copy = None
        if screen.file is not None:
            with suppress(OSError):  # a full disk: the page shows the sheet anyway
                copy = servable(screen.file, parts["download_sheet"], name=screen.file.name)
        changes["download_sheet"] = gr.update(value=copy, visible=copy is not None)
    return tuple(changes.get(name, gr.skip()) for name in _SHOWN)


def _wire_comparing(studio: Studio, say: Translator, parts: Parts, create: Parts, *, tab: gr.Tab) -> None:
    gallery = Gallery(studio)

    def listed(request: gr.Request, session: Any, offered: Any, *pair: Any) -> tuple:
        visitor = BrowserSession.from_request(session, request)
        found = view.run_choices(gallery, visitor, say)
        ids = [run for _, run in found]
        # A choice that the visitor made stays; a default is replaced by the newest two runs.
        newest = (next(iter(ids[1:]), None), next(iter(ids), None))
        chosen = [
            run if run in ids and run != before else new
            for run, before, new in zip(pair, offered, newest, strict=True)
        ]
        return newest, *(gr.update(choices=found, value=run) for run in chosen)

    @guard_handler(say, show_warning())
    def compare(request: gr.Request, session: object, one: object, other: object) -> Any:
        if not (one and other):
            gr.Warning(say("Paint two pictures first, then compare them here."), duration=8)
            return gr.skip()
        visitor = BrowserSession.from_request(session, request)
        return view.comparison_html(studio, one, other, visitor, say=say)

    pair = [parts["one"], parts["other"]]
    offered = gr.State((None, None))
    gr.on(
        [tab.select, parts["kind"].change],
        listed,
        [create["session"], offered, *pair],
        [offered, *pair],
        concurrency_limit=None,
        **QUIET,
    )
    parts["compare"].click(
        compare, [create["session"], *pair], parts["pair"], concurrency_limit=None, **QUIET
    )


def _wire_opening(studio: Studio, say: Translator, parts: Parts, create: Parts, *, tabs: gr.Tabs) -> None:
    asked = form_fields(studio.policy)
    names = filled_names(asked)

    def open_run(request: gr.Request, session: object, run_id: object) -> list[Any]:
        visitor = BrowserSession.from_request(session, request)
        with error_toast(say, title=say("Couldn't paint")):
            run = studio.run(str(run_id))
            if run.owner != visitor.owner:
                raise StudioError("This picture no longer exists.")
        values = filled_form(run.recipe, asked, name=run.id)
        stored = visitor.with_job(run.id, seed=run.recipe.seed)
        return [gr.update(selected="create"), stored, *(values[name] for name in names)]

    opened = parts["open_run"].click(
        open_run,
        [create["session"], parts["run"]],
        [tabs, create["session"], *(create[name] for name in names)],
        **QUIET,
        js="(session) => [session, document.getElementById('pg-open-run').dataset.run]",
    )
    opened.success(**save_form_event(create, asked))
    opened.success(None, None, None, js="() => document.getElementById('pg-look-at').click()")
