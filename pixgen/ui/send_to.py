"""Send things from one tab to another: a painted picture or a search hit to Classify, a label to Create, a
search hit to Create as the starting picture or as a picture prompt.
"""

from typing import Any

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.images import open_picture
from pixgen.studio import Studio
from pixgen.studio.library.library import PictureLibrary
from pixgen.ui.components import QUIET, Parts, servable
from pixgen.ui.errors import error_text
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.values import event_value
from pixgen.ui.search.tab import file_name
from pixgen.ui.search.view import Found
from pixgen.ui.session import BrowserSession


def wire_classify_exchange(
    studio: Studio, say: Translator, *, tabs: gr.Tabs, create: Parts, classify: Parts, run: dict[str, Any]
) -> None:
    """Connect Create with Classify; ``run`` are the arguments of an event that classifies."""

    def classify_this(request: gr.Request, session: Any) -> tuple:
        painted = BrowserSession.from_request(session, request).run(studio)
        if painted is None or not painted.picture.is_file():
            raise gr.Error(
                say("The picture is not finished yet: wait for it, or stop it."),
                title=say("Couldn't classify"),
                print_exception=False,
            )
        picture = servable(painted.picture, classify["pictures"], name=painted.picture.name)
        return gr.update(selected="classify"), [picture]

    def paint_this(pressed: gr.EventData) -> tuple:
        return gr.update(selected="create"), str(event_value(pressed, "paint") or "")

    create["classify_this"].click(
        classify_this, create["session"], [tabs, classify["pictures"]], **QUIET
    ).success(**run)
    classify["answers"].submit(paint_this, None, [tabs, create["prompt"]], **QUIET)


def wire_search_exchange(
    library: PictureLibrary,
    say: Translator,
    *,
    tabs: gr.Tabs,
    search: Parts,
    create: Parts,
    classify: Parts,
    run: dict[str, Any],
) -> None:
    """Connect Search with Create and Classify; ``run`` are the arguments of an event that classifies."""

    def copied(one: Found | None) -> str:
        """A copy of the chosen picture for the browser, or an error that is shown."""
        try:
            if one is None:
                raise PixgenError("Try another search, or fewer filters.")
            path = library.find_file(one[0], one[1].row.path)
            open_picture(path)
            return servable(path, create["start_picture"], name=file_name(one))
        except PixgenError as error:
            raise gr.Error(
                error_text(error, say), title=say("Couldn't search"), print_exception=False
            ) from error

    def start(one: Any) -> tuple:
        copy = copied(one)
        gr.Info(say("The next picture starts from this one."))
        return gr.update(selected="create"), "picture", gr.update(value=copy, visible=True)

    def prompt(one: Any, pictures: Any) -> tuple:
        copy = copied(one)
        gr.Info(say("This picture was added to the picture prompts."))
        return gr.update(selected="create"), [*(pictures or []), copy]

    def name(one: Any) -> tuple:
        return gr.update(selected="classify"), [copied(one)]

    chosen = search["chosen"]
    search["use_start"].click(start, chosen, [tabs, create["start"], create["start_picture"]], **QUIET)
    search["use_prompt"].click(
        prompt,
        [chosen, create["pictures"]],
        [tabs, create["pictures"]],
        **QUIET,
    )
    search["classify_it"].click(name, chosen, [tabs, classify["pictures"]], **QUIET).success(**run)
