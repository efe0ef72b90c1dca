"""Handlers of the gallery's events: each asks the desk, for whoever looks, and says what goes wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from pixgen.studio.finding import Finder
from pixgen.studio.gallery import Gallery
from pixgen.ui.controls import Parts
from pixgen.ui.gallery_desk import Changes, Desk
from pixgen.ui.i18n import Translator
from pixgen.ui.mishaps import guarded, warned
from pixgen.ui.visitors import Visitor

# What the browser does after an answer: shows the tab's beginning, tells side.js to look again.
TO_TOP = "() => document.querySelector('#pg-gallery-top')?.scrollIntoView({ block: 'nearest' })"
RUNS_CHANGED = "() => { document.dispatchEvent(new CustomEvent('pixgen-runs')) }"
QUIET = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}


@dataclass(frozen=True)
class Handlers:
    """Makes handlers for the parts, by name, of a page. Where it is public, each visitor has their own
    pictures only.

    Args:
        seat: tells who looks.
    """

    gallery: Gallery
    finder: Finder
    say: Translator
    parts: Parts
    seat: gr.BrowserState

    def on(
        self, events: Any, handler: Callable[..., Any], inputs: Sequence[Any], names: tuple[str, ...], **more: Any
    ) -> Dependency:  # fmt: skip
        """Let a handler answer events by changing the named parts."""
        outputs = [self.parts[name] for name in names]
        return gr.on(events, handler, [self.seat, *inputs], outputs, **QUIET, **more)

    def plain(self, names: tuple[str, ...], act: Callable[..., Changes]) -> Callable[..., Any]:
        """A handler that changes the named parts as ``act`` of the desk and the inputs says."""

        def handler(request: gr.Request, seat: Any, *values: Any) -> Any:
            desk = self.desk(request, seat)
            return self._answered(names, lambda: act(desk, *values))

        return handler

    def pressed(self, names: tuple[str, ...], act: Callable[..., Changes]) -> Callable[..., Any]:
        """A handler of a click in the page's own HTML, whose data come first."""

        def handler(request: gr.Request, event: gr.EventData, seat: Any, *values: Any) -> Any:
            desk, sent = self.desk(request, seat), event._data
            sent = sent if isinstance(sent, dict) else {}
            return self._answered(names, lambda: act(desk, sent, *values))

        return handler

    def desk(self, request: gr.Request, seat: Any) -> Desk:
        """The desk for whoever looks."""
        visitor = Visitor.known(seat, request.username)
        return Desk(self.gallery, self.finder, self.say, self.parts, visitor)

    def _answered(self, names: tuple[str, ...], act: Callable[[], Changes]) -> Any:
        """The changes of these parts; what goes wrong is said, and nothing changes."""
        changes = guarded(self.say, warned({}))(act)()
        shown = tuple(changes.get(name, gr.skip()) for name in names)
        return shown[0] if len(names) == 1 else shown  # gradio takes one output as it is
