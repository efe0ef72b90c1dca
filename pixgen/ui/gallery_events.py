"""What happens on the Gallery tab: each event asks the desk, for whoever looks, and shows the answer."""

import json
from typing import Any

import gradio as gr

from pixgen.errors import StudioError
from pixgen.recipe import make_recipe
from pixgen.ui.asking import answered, when_paused
from pixgen.ui.controls import Parts
from pixgen.ui.fields import Field
from pixgen.ui.gallery_desk import FILLED, FORM, OPENED, SHELF, Changes, Desk
from pixgen.ui.gallery_handlers import QUIET, RUNS_CHANGED, TO_TOP, Handlers
from pixgen.ui.info import filled_with
from pixgen.ui.mishaps import sentence

_ASK = "pg-ask-gallery"
_ASK_NOW = f"{_ASK}--now"  # waits for what was typed, and is waited for: the last answer is to the last question
_TO_PICTURES = "() => document.getElementById('pg-shelf-said').scrollIntoView()"
_LOOK_AT = "() => document.getElementById('pg-look-at').click()"


class GalleryEvents:
    """Connects the tab's parts, those of ``handlers``, with a gallery.

    Args:
        create: the Create tab's parts.
        tabs: all tabs.
    """

    def __init__(self, handlers: Handlers, *, create: Parts, tabs: gr.Tabs) -> None:
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
        names = list(filled_with(make_recipe({"prompts": "-"}), fields, name=""))

        def use(request: gr.Request, seat: Any, run_id: str) -> list[Any]:
            try:
                recipe = self._handlers.desk(request, seat).recipe(run_id)
            except StudioError as error:
                raise gr.Error(sentence(error, self.say), print_exception=False) from error
            form = filled_with(recipe, fields, name=run_id)
            gr.Info(self.say("Everything is filled in as it was for {name}.", name=run_id))
            return [gr.update(selected="create"), *(form[name] for name in names)]

        outputs = [self._tabs, *(self._create[name] for name in names)]
        inputs = [self._create["seat"], self._parts["run"]]
        self._parts["use"].click(use, inputs, outputs, **QUIET).then(**keep)

    def _connect_shelf(self, tab: gr.Tab) -> None:
        parts, form = self._parts, self._back_to[1:]
        on, plain, pressed = self._handlers.on, self._handlers.plain, self._handlers.pressed
        browse = plain(SHELF, lambda desk, *values: desk.shelf(values, 0))
        asked = [parts["query"].submit, *(parts[name].input for name in FORM[1:])]
        ask = when_paused(asked, _ASK_NOW)
        answered(on(ask.click, browse, form, SHELF, trigger_mode="multiple"), _ASK_NOW)
        typed = plain(
            SHELF, lambda desk, *values: {} if values[1] == "looks" else desk.shelf(values, 0)
        )
        ask = when_paused([parts["query"].change], _ASK)
        answered(on(ask.click, typed, form, SHELF, trigger_mode="multiple"), _ASK)

        def again(desk: Desk, number: Any, *values: Any) -> Changes:
            return desk.shelf(values, number)

        # Who comes back to the tab finds the run that was opened there, and the newest behind it.
        on(tab.select, plain(FILLED, again), self._back_to, FILLED)
        on(parts["back"].click, plain(SHELF, again), self._back_to, SHELF)
        turned = pressed(SHELF, lambda desk, sent, *values: desk.shelf(values, sent.get("page")))
        on(parts["grid"].submit, turned, form, SHELF).then(None, js=_TO_PICTURES)
        starred = pressed((), lambda desk, sent: desk.star(sent.get("run"), sent.get("on")))
        on(parts["grid"].like, starred, [], ())

    def _connect_opened(self) -> None:
        parts, on, plain = self._parts, self._handlers.on, self._handlers.plain
        clicks = [parts["grid"].select, parts["facts"].select]
        opened = self._handlers.pressed(OPENED, lambda desk, sent: desk.opened(sent.get("run")))
        on(clicks, opened, [], OPENED).then(None, js=TO_TOP)
        on(parts["favourite"].click, plain(OPENED, Desk.favourite), [parts["run"]], OPENED)
        typed = [parts["tags"].submit, parts["tags"].blur]
        on(typed, plain(("tags",), Desk.tag), [parts["run"], parts["tags"]], ("tags",))
        seat = self._create["seat"]
        parts["go_on"].click(
            self._go_on, [seat, parts["run"]], [seat, self._tabs], **QUIET
        ).success(None, js=_LOOK_AT)  # fmt: skip

    def _connect_bin(self) -> None:
        parts, back_to = self._parts, self._back_to
        on, plain = self._handlers.on, self._handlers.plain
        for name, act in (("delete", Desk.delete), ("restore", Desk.restore)):
            done = on(parts[name].click, plain(SHELF, act), [parts["run"], *back_to], SHELF)
            done.then(None, js=TO_TOP)
            done.then(None, js=RUNS_CHANGED)
        undone = self._handlers.pressed(
            SHELF, lambda desk, sent, *values: desk.restore(sent.get("run"), *values)
        )
        on(parts["said"].undo, undone, back_to, SHELF).then(None, js=RUNS_CHANGED)
        question = json.dumps(self.say("Remove everything in the bin for good?"))
        sure = f"(seat, sure, ...rest) => [seat, confirm({question}), ...rest]"
        empty = plain(SHELF, Desk.empty)
        on(parts["empty"].click, empty, [parts["sure"], *back_to], SHELF, js=sure)

    def _go_on(self, request: gr.Request, seat: Any, run_id: str) -> tuple:
        """An opened run that was stopped goes on, on the Create tab."""
        try:
            return self._handlers.desk(request, seat).go_on(run_id), gr.update(selected="create")
        except StudioError as error:
            title = self.say("Not painted")
            raise gr.Error(sentence(error, self.say), title=title, print_exception=False) from error
