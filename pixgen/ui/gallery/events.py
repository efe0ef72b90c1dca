"""The events of the Gallery tab: handlers that ask the presenter for updates, and their connections."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.library.library import PictureLibrary
from pixgen.ui.components import Field, Parts, on_answer, on_pause
from pixgen.ui.errors import error_toast, guard_handler, show_warning
from pixgen.ui.gallery.presenter import FILLED, FORM, OPENED, SHELF, Changes, GalleryPresenter
from pixgen.ui.i18n import Translator
from pixgen.ui.info.tab import fill_in, filled_names
from pixgen.ui.session import BrowserSession

# Run in the browser after an answer: scroll to the top of the tab, and let side.js reload its list.
TO_TOP = "() => document.querySelector('#pg-gallery-top')?.scrollIntoView({ block: 'nearest' })"
RUNS_CHANGED = "() => { document.dispatchEvent(new CustomEvent('pixgen-runs')) }"
QUIET = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}


@dataclass(frozen=True)
class GalleryHandlers:
    """Makes event handlers that update the page's parts by name.

    On a public page, visitors see only their own pictures.

    Args:
        session: the component with what the browser keeps about its visitor.
    """

    gallery: Gallery
    library: PictureLibrary
    say: Translator
    parts: Parts
    session: gr.BrowserState

    def on(
        self,
        events: object,
        handler: Callable[..., Any],
        inputs: Sequence[Any],
        names: tuple[str, ...],
        **more: Any,
    ) -> Dependency:
        """Connect events with a handler that updates the named parts."""
        outputs = [self.parts[name] for name in names]
        return gr.on(events, handler, [self.session, *inputs], outputs, **QUIET, **more)

    def plain(self, names: tuple[str, ...], act: Callable[..., Changes]) -> Callable[..., Any]:
        """A handler whose updates of the named parts are ``act(presenter, *inputs)``."""

        def handler(request: gr.Request, session: object, *values: Any) -> Any:
            presenter = self.presenter(request, session)
            return self._answered(names, lambda: act(presenter, *values))

        return handler

    def pressed(self, names: tuple[str, ...], act: Callable[..., Changes]) -> Callable[..., Any]:
        """A handler of a click in the page's own HTML: ``act(presenter, data, *inputs)``."""

        def handler(request: gr.Request, event: gr.EventData, session: object, *values: Any) -> Any:
            presenter, sent = self.presenter(request, session), getattr(event, "_data", None)
            sent = sent if isinstance(sent, dict) else {}
            return self._answered(names, lambda: act(presenter, sent, *values))

        return handler

    def presenter(self, request: gr.Request, session: object) -> GalleryPresenter:
        """The presenter for the visitor who sent a request."""
        visitor = BrowserSession.from_request(session, request)
        return GalleryPresenter(self.gallery, self.library, self.say, self.parts, visitor)

    def _answered(self, names: tuple[str, ...], act: Callable[[], Changes]) -> Any:
        """Updates of these parts; an error becomes a warning, and nothing changes."""
        changes = guard_handler(self.say, show_warning({}))(act)()
        shown = tuple(changes.get(name, gr.skip()) for name in names)
        return shown[0] if len(names) == 1 else shown  # gradio expects a single output without a list


_ASK = "pg-ask-gallery"
_ASK_NOW = f"{_ASK}--now"  # in order with the typed requests: the last answer belongs to the last one
_TO_PICTURES = "() => document.getElementById('pg-shelf-said').scrollIntoView()"
_LOOK_AT = "() => document.getElementById('pg-look-at').click()"


class GalleryEvents:
    """Connects the tab's parts with their handlers.

    Args:
        create: the Create tab's parts.
        tabs: all tabs.
    """

    def __init__(self, handlers: GalleryHandlers, *, create: Parts, tabs: gr.Tabs) -> None:
        self._handlers, self._parts, self.say = handlers, handlers.parts, handlers.say
        self._create, self._tabs = create, tabs
        self._back_to = [self._parts[name] for name in ("page", *FORM)]

    def connect(self, tab: gr.Tab) -> None:
        """Connect everything."""
        self._connect_shelf(tab)
        self._connect_opened()
        self._connect_bin()

    def connect_form(self, fields: dict[str, Field], keep: dict[str, Any]) -> None:
        """Let the Create tab's form be filled in from an opened run.

        Args:
            keep: an event's arguments that keep the form in the browser.
        """

        def use(request: gr.Request, session: object, run_id: str) -> list[Any]:
            with error_toast(self.say):
                recipe = self._handlers.presenter(request, session).recipe(run_id)
            return [gr.update(selected="create"), *fill_in(recipe, fields, name=run_id, say=self.say)]

        outputs = [self._tabs, *(self._create[name] for name in filled_names(fields))]
        inputs = [self._create["session"], self._parts["run"]]
        self._parts["use"].click(use, inputs, outputs, **QUIET).then(**keep)

    def _connect_shelf(self, tab: gr.Tab) -> None:
        parts, form = self._parts, self._back_to[1:]
        on, plain, pressed = self._handlers.on, self._handlers.plain, self._handlers.pressed
        browse = plain(SHELF, lambda presenter, *values: presenter.shelf(values, 0))
        asked = [parts["query"].submit, *(parts[name].input for name in FORM[1:])]
        ask = on_pause(asked, _ASK_NOW)
        on_answer(on(ask.click, browse, form, SHELF, trigger_mode="multiple"), _ASK_NOW)
        typed = plain(
            SHELF, lambda presenter, *values: {} if values[1] == "looks" else presenter.shelf(values, 0)
        )
        ask = on_pause([parts["query"].change], _ASK)
        on_answer(on(ask.click, typed, form, SHELF, trigger_mode="multiple"), _ASK)

        def again(presenter: GalleryPresenter, number: object, *values: Any) -> Changes:
            return presenter.shelf(values, number)

        # A visitor who comes back to the tab finds the run that was open, and an up-to-date list behind it.
        on(tab.select, plain(FILLED, again), self._back_to, FILLED)
        on(parts["back"].click, plain(SHELF, again), self._back_to, SHELF)
        turned = pressed(SHELF, lambda presenter, sent, *values: presenter.shelf(values, sent.get("page")))
        on(parts["grid"].submit, turned, form, SHELF).then(None, js=_TO_PICTURES)
        starred = pressed((), lambda presenter, sent: presenter.star(sent.get("run"), sent.get("on")))
        on(parts["grid"].like, starred, [], ())

    def _connect_opened(self) -> None:
        parts, on, plain = self._parts, self._handlers.on, self._handlers.plain
        clicks = [parts["grid"].select, parts["facts"].select]
        opened = self._handlers.pressed(OPENED, lambda presenter, sent: presenter.opened(sent.get("run")))
        on(clicks, opened, [], OPENED).then(None, js=TO_TOP)
        enlarged = plain(("large",), lambda presenter, run_id: presenter.large(run_id))
        sent = "(session) => [session, document.getElementById('pg-enlarge-run').dataset.sent ?? '']"
        on(parts["enlarge"].click, enlarged, [parts["sent"]], ("large",), js=sent)
        on(
            parts["favourite"].click,
            plain(OPENED, GalleryPresenter.favourite),
            [parts["run"]],
            OPENED,
        )
        typed = [parts["tags"].submit, parts["tags"].blur]
        on(typed, plain(("tags",), GalleryPresenter.tag), [parts["run"], parts["tags"]], ("tags",))
        session = self._create["session"]
        parts["go_on"].click(self._go_on, [session, parts["run"]], [session, self._tabs], **QUIET).success(
            None, js=_LOOK_AT
        )

    def _connect_bin(self) -> None:
        parts, back_to = self._parts, self._back_to
        on, plain = self._handlers.on, self._handlers.plain
        for name, act in (
            ("delete", GalleryPresenter.delete),
            ("restore", GalleryPresenter.restore),
        ):
            done = on(parts[name].click, plain(SHELF, act), [parts["run"], *back_to], SHELF)
            done.then(None, js=TO_TOP)
            done.then(None, js=RUNS_CHANGED)
        sent = "(session, sent, ...rest) => [session, document.getElementById('pg-{name}').dataset.sent ?? '', ...rest]"
        done = on(
            parts["delete_many"].click,
            plain(SHELF, GalleryPresenter.delete_many),
            [parts["sent"], *back_to],
            SHELF,
            js=sent.format(name="delete-many"),
        )
        done.then(None, js=RUNS_CHANGED)
        for name, answer in (
            ("zip_many", GalleryPresenter.zip_many),
            ("sheet_many", GalleryPresenter.sheet_many),
            ("compare_many", GalleryPresenter.compare_many),
        ):
            on(
                parts[name].click,
                plain(("large",), answer),
                [parts["sent"]],
                ("large",),
                js=sent.format(name=name.replace("_", "-")),
            )
        undone = self._handlers.pressed(
            SHELF, lambda presenter, sent, *values: presenter.restore(sent.get("run"), *values)
        )
        on(parts["said"].undo, undone, back_to, SHELF).then(None, js=RUNS_CHANGED)
        question = json.dumps(self.say("Delete everything in the trash permanently?"))
        sure = f"(session, sure, ...rest) => [session, confirm({question}), ...rest]"
        empty = plain(SHELF, GalleryPresenter.empty)
        on(parts["empty"].click, empty, [parts["sure"], *back_to], SHELF, js=sure)

    def _go_on(self, request: gr.Request, session: object, run_id: str) -> tuple:
        """Continue a stopped run and show it on the Create tab."""
        with error_toast(self.say, title=self.say("Couldn't paint")):
            return self._handlers.presenter(request, session).go_on(run_id), gr.update(selected="create")
