"""Uploads to the Search tab: a picture to search by, and a set of pictures to search in."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from pixgen.errors import PictureError
from pixgen.images import open_picture
from pixgen.studio.library.library import PictureLibrary
from pixgen.ui.errors import error_text
from pixgen.ui.form import Parts
from pixgen.ui.i18n import Translator
from pixgen.ui.search import actions
from pixgen.ui.search.actions import View
from pixgen.ui.session import Cancellations

_QUIET = {"api_visibility": "private", "show_progress": "hidden"}


def wire_uploads(library: PictureLibrary, say: Translator, parts: Parts, *, stops: Cancellations) -> None:
    """Connect the two upload fields."""
    names = ("state", "place", "set", "find", "stop")

    def looked_at(picture: Any) -> Any:
        try:
            open_picture(picture)
        except PictureError as error:
            gr.Warning(error_text(error, say), duration=8)
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

    parts["picture"].upload(looked_at, parts["picture"], parts["picture"], concurrency_limit=None, **_QUIET)
    parts["added"].upload(
        add,
        [parts["added"], parts["model"]],
        [parts[name] for name in names],
        concurrency_limit=None,
        **_QUIET,
    )


def busy(busy: bool) -> dict[str, Any]:
    """Updates of the Search and Stop buttons while a search is running, or after it."""
    return {"find": gr.update(interactive=not busy), "stop": gr.update(interactive=busy)}
