"""What happens on the Gallery tab: each event asks the desk, for whoever looks, and shows the answer."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from pixgen.errors import StudioError
from pixgen.recipe import make_recipe
from pixgen.studio.finding import Finder
from pixgen.studio.gallery import Gallery
from pixgen.ui.asking import answered, when_paused
from pixgen.ui.controls import Parts
from pixgen.ui.fields import Field
from pixgen.ui.gallery_desk import FILLED, FORM, OPENED, SHELF, Changes, Desk
from pixgen.ui.info import filled_with
from pixgen.ui.mishaps import sentence
from pixgen.ui.texts import Words
from pixgen.ui.visitors import Visitor

_QUIET = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}
_ASK = "pg-ask-gallery"
_TO_TOP = "() => document.querySelector('#pg-gallery-top')?.scrollIntoView({ block: 'nearest' })"
_LOOK_AT = "() => document.getElementById('pg-look-at').click()"


class GalleryEvents:
    """Connects the tab's parts, and the strip on the Create tab, with a gallery. Where it is public,
    each visitor has their own pictures only.

    Args:
        create: the Create tab's parts.
        tabs: all tabs.
    """

    def __init__(
        self, gallery: Gallery, finder: Finder, words: Words, *, parts: Parts, create: Parts, tabs: gr.Tabs
    ) -> None:  # fmt: skip
        self._gallery, self._finder, self._words = gallery, finder, words
        self._parts, self._create, self._tabs = parts, create, tabs
        self._back_to = [parts[name] for name in ("page", *FORM)]

    def connect(self, page: gr.Blocks, tab: gr.Tab) -> None:
        """Connect everything."""
        self._connect_shelf(tab)
        self._connect_opened()
        self._connect_bin()
        self._connect_create(page)

    def connect_form(self, fields: dict[str, Field], keep: dict[str, Any]) -> None:
        """Let the Create tab's form be filled in from an opened run.

        Args:
            keep: an event's arguments that keep the form in the browser.
        """
        names = list(filled_with(make_recipe({"prompts": "-"}), fields, name=""))

        def use(request: gr.Request, seat: Any, run_id: str) -> list[Any]:
            try:
                recipe = self._desk(request, seat).recipe(run_id)
            except StudioError as error:
                raise gr.Error(sentence(error, self._words), print_exception=False) from error
            form = filled_with(recipe, fields, name=run_id)
            gr.Info(self._words.info.used.format(name=run_id))
            return [gr.update(selected="create"), *(form[name] for name in names)]

        outputs = [self._tabs, *(self._create[name] for name in names)]
        inputs = [self._create["seat"], self._parts["run"]]
        self._parts["use"].click(use, inputs, outputs, **_QUIET).then(**keep)

    def _connect_shelf(self, tab: gr.Tab) -> None:
        parts, form = self._parts, self._back_to[1:]
        browse = self._plain(SHELF, lambda desk, *values: desk.shelf(values, 0))
        asked = [parts["query"].submit, *(parts[name].input for name in FORM[1:])]
        self._on(asked, browse, form, SHELF)
        typed = self._plain(
            SHELF, lambda desk, *values: {} if values[1] == "looks" else desk.shelf(values, 0)
        )
        ask = when_paused([parts["query"].input], _ASK)
        self._on(ask.click, typed, form, SHELF, trigger_mode="multiple").then(**answered(_ASK))

        def again(desk: Desk, number: Any, *values: Any) -> Changes:
            return desk.shelf(values, number)

        # Who comes back to the tab finds the run that was opened there, and the newest behind it.
        self._on(tab.select, self._plain(FILLED, again), self._back_to, FILLED)
        self._on(parts["back"].click, self._plain(SHELF, again), self._back_to, SHELF)
        turned = self._pressed(
            SHELF, lambda desk, sent, *values: desk.shelf(values, sent.get("page"))
        )
        self._on(parts["grid"].submit, turned, form, SHELF).then(None, js=_TO_TOP)
        starred = self._pressed((), lambda desk, sent: desk.star(sent.get("run"), sent.get("on")))
        self._on(parts["grid"].like, starred, [], ())

    def _connect_opened(self) -> None:
        parts = self._parts
        clicks = [parts["grid"].select, parts["facts"].select]
        self._on(clicks, self._opened(), [], OPENED).then(None, js=_TO_TOP)
        favourite = self._plain(OPENED, Desk.favourite)
        self._on(parts["favourite"].click, favourite, [parts["run"]], OPENED)
        typed = [parts["tags"].submit, parts["tags"].blur]
        tag = self._plain(("tags",), Desk.tag)
        self._on(typed, tag, [parts["run"], parts["tags"]], ("tags",))

    def _connect_bin(self) -> None:
        parts, back_to = self._parts, self._back_to
        for name, act in (("delete", Desk.delete), ("restore", Desk.restore)):
            self._on(
                parts[name].click, self._plain(SHELF, act), [parts["run"], *back_to], SHELF
            ).then(None, js=_TO_TOP)
        undone = self._pressed(
            SHELF, lambda desk, sent, *values: desk.restore(sent.get("run"), *values)
        )
        self._on(parts["said"].undo, undone, back_to, SHELF)
        question = json.dumps(self._words.gallery.empty_sure)
        sure = f"(seat, sure, ...rest) => [seat, confirm({question}), ...rest]"
        empty = self._plain(SHELF, Desk.empty)
        self._on(parts["empty"].click, empty, [parts["sure"], *back_to], SHELF, js=sure)

    def _connect_create(self, page: gr.Blocks) -> None:
        """What goes to the Create tab, and the strip that is there."""
        parts, seat, latest = self._parts, self._create["seat"], self._create["latest"]

        def go_on(request: gr.Request, seat: Any, run_id: str) -> tuple:
            try:
                return self._desk(request, seat).go_on(run_id), gr.update(selected="create")
            except StudioError as error:
                title = self._words.not_painted
                raise gr.Error(
                    sentence(error, self._words), title=title, print_exception=False
                ) from error

        parts["go_on"].click(
            go_on, [seat, parts["run"]], [seat, self._tabs], **_QUIET
        ).success(None, js=_LOOK_AT)  # fmt: skip

        def newest(request: gr.Request, seat: Any) -> str:
            return self._desk(request, seat).latest()

        # page.js presses the button when a picture has ended.
        look = gr.Button(visible="hidden", elem_id="pg-look-latest")
        gr.on([page.load, look.click], newest, seat, latest, **_QUIET)
        opened = self._opened()

        def show(request: gr.Request, event: gr.EventData, seat: Any) -> tuple:
            return gr.update(selected="gallery"), *opened(request, event, seat)

        latest.select(show, seat, [self._tabs, *(parts[name] for name in OPENED)], **_QUIET)

    def _opened(self) -> Callable[..., Any]:
        return self._pressed(OPENED, lambda desk, sent: desk.opened(sent.get("run")))

    def _on(
        self, events: Any, handler: Callable[..., Any], inputs: Sequence[Any], names: tuple[str, ...], **more: Any
    ) -> Any:  # fmt: skip
        outputs = [self._parts[name] for name in names]
        return gr.on(events, handler, [self._create["seat"], *inputs], outputs, **_QUIET, **more)

    def _plain(self, names: tuple[str, ...], act: Callable[..., Changes]) -> Callable[..., Any]:
        def handler(request: gr.Request, seat: Any, *values: Any) -> Any:
            desk = self._desk(request, seat)
            return self._answered(names, lambda: act(desk, *values))

        return handler

    def _pressed(self, names: tuple[str, ...], act: Callable[..., Changes]) -> Callable[..., Any]:
        """A handler of a click in the tab's own HTML, whose data come first."""

        def handler(request: gr.Request, event: gr.EventData, seat: Any, *values: Any) -> Any:
            desk, sent = self._desk(request, seat), event._data
            sent = sent if isinstance(sent, dict) else {}
            return self._answered(names, lambda: act(desk, sent, *values))

        return handler

    def _desk(self, request: gr.Request, seat: Any) -> Desk:
        visitor = Visitor.known(seat, request.username)
        return Desk(self._gallery, self._finder, self._words, self._parts, visitor)

    def _answered(self, names: tuple[str, ...], act: Callable[[], Changes]) -> Any:
        """The changes of these parts; what goes wrong is said, and nothing changes."""
        try:
            changes = act()
        except Exception as error:
            gr.Warning(sentence(error, self._words), duration=8)
            changes = {}
        shown = tuple(changes.get(name, gr.skip()) for name in names)
        return shown[0] if len(names) == 1 else shown  # gradio takes one output as it is
