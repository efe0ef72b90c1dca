"""The Search tab: query, collection, filters and uploads on one side, hits on the other."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.errors import PictureError, PixgenError
from pixgen.images import open_picture
from pixgen.studio.library.library import BUNDLED, RUNS, PictureLibrary
from pixgen.ui import html
from pixgen.ui.components import PICTURE_TYPES, QUIET, Parts, fold, servable
from pixgen.ui.create.panels.settings import clip_choice
from pixgen.ui.errors import error_text, toast_text
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.events import event_value, read_form_number
from pixgen.ui.search import actions
from pixgen.ui.search import view as search_view
from pixgen.ui.search.actions import SEARCH_FIELDS, SearchForm, View
from pixgen.ui.search.view import Found
from pixgen.ui.session import BrowserSession, Cancellations
from pixgen.vision.search.query import LONGEST_TEXT

MOST_SHOWN = 100  # pictures on the page or for a program; each file is copied
_CLICKS = """element.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-example]');
    if (pressed) trigger('select', { example: Number(pressed.dataset.example) });
});"""


def search_tab(
    library: PictureLibrary, say: Translator, page: gr.Blocks, *, session: gr.BrowserState
) -> Parts:
    """Build the tab and connect it; returns its parts by name. ``session`` is the visitor's state in the
    browser."""
    with gr.Row(elem_classes="pg-create pg-search"):
        with gr.Column(elem_classes="pg-words"):
            parts = _words_column(library, say)
        with gr.Column(elem_classes="pg-stage"):
            parts |= _stage(say)
        with gr.Column(elem_classes="pg-settings"):
            parts |= _settings_column(library, say)
    parts["found"], parts["chosen"] = gr.State(()), gr.State(None)
    parts["set"] = gr.State(None)
    stops = Cancellations()
    _wire_search(library, say, parts, session=session, stops=stops)
    _wire_chosen(library, say, parts)
    wire_uploads(library, say, parts, stops=stops)
    page.load(  # something may have been painted since the page was built
        lambda: actions.first_place(library), None, parts["place"], queue=False, **QUIET
    )
    return parts


def _words_column(library: PictureLibrary, say: Translator) -> Parts:
    parts: Parts = {
        "query": gr.Textbox(
            label=say("Search for"),
            placeholder="a red car",
            max_lines=1,
            max_length=LONGEST_TEXT,
            elem_id="pg-query",
        )
    }
    gr.HTML(
        html.prompt_tips(
            say,
            (
                ("a red car", say("what the picture shows")),
                ("horse + snow", say("both in one picture")),
                ("horse + snow :2 - rider", say("more of one, without another")),
                ("[picture] + snow :2", say("your picture combined with text")),
            ),
        )
    )
    parts["place"] = gr.Dropdown(
        actions.places(library, say),
        value=actions.first_place(library),
        label=say("Collection"),
        elem_id="pg-place",
    )
    with gr.Row(elem_classes="pg-go"):
        parts["find"] = gr.Button(say("Search"), variant="primary", elem_id="pg-find", scale=3, min_width=120)
        parts["stop"] = gr.Button(
            say("Stop"), interactive=False, elem_id="pg-find-stop", scale=1, min_width=80
        )
    with gr.Column():
        gr.HTML(html.heading(say("Examples")))
        with gr.Row():
            for number, text in enumerate(("a fox", "night + stars :2", "the sea - boat", "a red fruit")):
                parts[f"example {number}"] = gr.Button(text, size="sm", min_width=0, elem_classes="pg-chip")
    return parts


def _settings_column(library: PictureLibrary, say: Translator) -> Parts:
    parts: Parts = {}
    with gr.Column(elem_classes="pg-more"):
        parts["picture"] = gr.File(
            label=say("Search by picture"),
            file_types=PICTURE_TYPES,
            height=120,
            elem_id="pg-like-picture",
        )
    with fold(say("Search your own pictures")):
        parts["added"] = gr.File(
            label=say("Add pictures, or a zip"),
            file_types=[*PICTURE_TYPES, ".zip"],
            file_count="multiple",
            height=120,
            elem_id="pg-added",
        )
    with fold(say("Filters")):
        parts["top"] = gr.Slider(1, MOST_SHOWN, 24, step=1, label=say("Number of results"), buttons=[])
        parts["threshold"] = gr.Slider(
            -1,
            1,
            -1,
            step=0.01,
            label=say("Minimum similarity"),
            info=say("A cosine: 0.2 leaves out pictures that have little to do with the query."),
            buttons=[],
        )
        with gr.Row(elem_classes="pg-pair"):
            for name, label in (
                ("after", say.pgettext("search", "From")),
                ("before", say.pgettext("search", "Until")),
            ):
                parts[name] = gr.Textbox(
                    label=label,
                    placeholder="2026-11-23",
                    max_lines=1,
                    min_width=110,
                )
        parts["folder"] = gr.Textbox(label=say("Subfolder"), max_lines=1)
        parts["prompt"] = gr.Textbox(label=say("Prompt contains"), max_lines=1)
        parts["side"] = gr.Number(0, label=say("Minimum width and height (pixels)"), precision=0, minimum=0)
        with gr.Row(elem_classes="pg-pair"):
            for name, label in (
                ("preset", say("Preset")),
                ("painted_by", say("Image model")),
            ):
                parts[name] = gr.Textbox(label=label, max_lines=1, min_width=110)
        # A text, as in Create: an empty number field is sent as 0.
        parts["seed"] = gr.Textbox(label=say("Seed"), max_lines=1)
    with fold(say("Search model (CLIP)"), elem_id="pg-search-models"):
        parts["model"] = clip_choice(
            library.studio.policy, say, value=library.model, elem_id="pg-search-clip"
        )
    return parts


def _stage(say: Translator) -> Parts:
    parts: Parts = {
        "state": gr.HTML(search_view.state_html(""), elem_id="pg-finding"),
        "one": gr.HTML("", elem_id="pg-one"),
    }
    with gr.Row(elem_classes="pg-actions", visible=False, elem_id="pg-with-one") as parts["actions"]:
        for name, label in (
            ("like", say("More like this")),
            ("use_start", say("Start from this picture")),
            ("use_prompt", say("Use as picture prompt")),
            ("classify_it", say("Classify")),
        ):
            parts[name] = gr.Button(label, size="sm", min_width=0, elem_id=f"pg-{name.replace('_', '-')}")
        parts["download"] = gr.DownloadButton(say("Download"), size="sm", min_width=0, elem_id="pg-open")
    parts["grid"] = gr.HTML(
        search_view.empty_html(say), js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-hits"
    )
    # Pressed by page.js when a picture is clicked.
    parts["choose"] = gr.Button(visible="hidden", elem_id="pg-choose")
    parts["number"] = gr.Number(0, visible="hidden", precision=0)
    return parts


def _wire_search(
    library: PictureLibrary, say: Translator, parts: Parts, *, session: object, stops: Cancellations
) -> None:
    names = ("state", "grid", "found", "find", "stop", "chosen", "one", "actions", "download")
    outputs = [parts[name] for name in names]

    def shown(views: Iterator[View]) -> Iterator[tuple]:
        for view in actions.with_errors(views, say=say):
            changes: dict[str, Any] = {}
            for name in ("state", "grid", "found"):
                if (value := getattr(view, name)) is not None:
                    changes[name] = value
            if view.busy is not None:
                changes |= busy(view.busy)
            if view.found is not None:  # the best one is selected at once, so that nothing moves later
                changes |= _choice(library, say, parts, view.found, 0)
            yield tuple(changes.get(name, gr.skip()) for name in names)

    def read_form(values: tuple) -> SearchForm:
        return SearchForm.read(dict(zip(SEARCH_FIELDS, values, strict=True)))

    def ask(request: gr.Request, session: object, uploaded: object, *values: Any) -> Iterator[tuple]:
        yield from looked_for(request, session, uploaded, read_form(values))

    def looked_for(request: gr.Request, session: Any, uploaded: Any, form: SearchForm) -> Iterator[tuple]:
        owner = BrowserSession.from_request(session, request).owner
        with stops.cancellable(request.session_hash) as stop:
            yield from shown(
                actions.search(library, form, uploaded=uploaded, owner=owner, say=say, stopped=stop.is_set)
            )

    def example(
        request: gr.Request, pressed: gr.EventData, session: object, uploaded: object, *values: Any
    ) -> Iterator[tuple]:
        form = read_form(values)
        drawings = search_view.example_drawings()
        number = read_form_number(event_value(pressed, "example"), int, name="example")
        drawing = str(drawings[number % len(drawings)])
        form = replace(form, query="", picture=drawing, place=BUNDLED)
        for changes in looked_for(request, session, uploaded, form):
            yield (*changes, "", BUNDLED)

    def stop(request: gr.Request) -> None:
        stops.stop(request.session_hash)

    def more(request: gr.Request, session: Any, one: Any, *values: Any) -> Iterator[tuple]:
        if one is None:
            yield tuple(gr.skip() for _ in names)
            return
        owner = BrowserSession.from_request(session, request).owner
        form = read_form(values)
        yield from shown(actions.like(library, one, form, owner=owner, say=say))

    asked = [parts[name] for name in SEARCH_FIELDS]
    watching = {"outputs": outputs, "concurrency_limit": None, **QUIET}
    gr.on([parts["find"].click, parts["query"].submit], ask, [session, parts["set"], *asked], **watching)
    parts["stop"].click(stop, None, None, queue=False, **QUIET)
    parts["grid"].select(
        example,
        [session, parts["set"], *asked],
        **{**watching, "outputs": [*outputs, parts["query"], parts["place"]]},
    )
    parts["like"].click(more, [session, parts["chosen"], *asked], **watching)
    for name, part in parts.items():
        if name.startswith("example"):
            both = json.dumps([part.value, BUNDLED])
            part.click(None, None, [parts["query"], parts["place"]], js=f"() => {both}").then(
                ask, [session, parts["set"], *asked], **watching
            )


def _wire_chosen(library: PictureLibrary, say: Translator, parts: Parts) -> None:
    names = ("chosen", "one", "actions", "download")

    def choose(shown: Any, number: Any) -> tuple:
        changes = _choice(library, say, parts, shown, read_form_number(number or 0, int, name="number"))
        return tuple(changes.get(name, gr.skip()) for name in names)

    parts["choose"].click(
        choose,
        [parts["found"], parts["number"]],
        [parts[name] for name in names],
        queue=False,
        js="(found, number) => [found, Number(document.getElementById('pg-choose').dataset.hit)]",
        **QUIET,
    )


def _choice(
    library: PictureLibrary, say: Translator, parts: Parts, shown: tuple[Found, ...], number: int
) -> dict[str, Any]:
    """Updates that show one hit with its actions."""
    if not 0 <= number < len(shown):
        return {"chosen": None, "one": "", "actions": gr.update(visible=False)}
    one = shown[number]
    public = library.studio.policy.public
    copy = None
    try:
        path = library.find_file(one[0], one[1].row.path)
        copy = servable(path, parts["download"], name=file_name(one))
    except (PixgenError, OSError):
        pass  # the file is gone, or the disk is full: the thumbnail may still be shown
    return {
        "chosen": one,
        "one": search_view.chosen_html(say, one, number=number, paths=not public),
        "actions": gr.update(visible=True),
        "download": gr.update(value=copy, interactive=copy is not None),
    }


def file_name(one: Found) -> str:
    """A file name for a copy of a hit: a run's id, else the picture's own name."""
    path = Path(one[1].row.path)
    return f"{path.parent.name}{path.suffix}" if one[0].name == RUNS else path.name


def wire_uploads(library: PictureLibrary, say: Translator, parts: Parts, *, stops: Cancellations) -> None:
    """Connect the two upload fields."""
    names = ("state", "place", "set", "find", "stop")

    def looked_at(picture: Any) -> Any:
        try:
            open_picture(picture)
        except PictureError as error:
            gr.Warning(toast_text(error_text(error, say)), duration=8)
            return None
        return gr.skip()

    def add(request: gr.Request, paths: list[str], model: str) -> Iterator[tuple]:
        with stops.cancellable(request.session_hash) as stop:
            yield from added(paths, model, stop.is_set)

    def added(paths: list[str], model: str, stopped: Callable[[], bool]) -> Iterator[tuple]:
        def views() -> Iterator[View]:
            for view, place in actions.upload(library, paths, model=model, say=say, stopped=stopped):
                places.append(place)
                yield view

        places: list = []
        for view in actions.with_errors(views(), say=say):
            ready = view.busy is False and not view.failed
            changes = {"state": view.state, **busy(bool(view.busy))}
            if ready:
                changes["set"] = places[-1]
                changes["place"] = gr.update(
                    choices=actions.places(library, say, uploaded=True), value=actions.UPLOADED
                )
            yield tuple(changes.get(name, gr.skip()) for name in names)

    parts["picture"].upload(looked_at, parts["picture"], parts["picture"], concurrency_limit=None, **QUIET)
    parts["added"].upload(
        add,
        [parts["added"], parts["model"]],
        [parts[name] for name in names],
        concurrency_limit=None,
        **QUIET,
    )


def busy(busy: bool) -> dict[str, Any]:
    """Updates of the Search and Stop buttons while a search is running, or after it."""
    return {"find": gr.update(interactive=not busy), "stop": gr.update(interactive=busy)}
