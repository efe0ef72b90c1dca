"""Send things from one tab to another: a painted picture or a search hit to Classify, a label to Create, a
search hit to Create as the starting picture or as a picture prompt, and the settings that a link names to Create.
"""

from typing import Any

import gradio as gr

from pixgen.errors import PixgenError, StudioError
from pixgen.images import open_picture
from pixgen.recipe.recipe import Recipe
from pixgen.studio import Studio
from pixgen.studio.library.library import PictureLibrary
from pixgen.ui.components import QUIET, Field, Parts, servable
from pixgen.ui.errors import error_toast
from pixgen.ui.gallery.events import TO_TOP, GalleryHandlers
from pixgen.ui.gallery.presenter import OPENED
from pixgen.ui.i18n import Translator
from pixgen.ui.info.tab import fill_in, filled_names
from pixgen.ui.links import unpack_recipe
from pixgen.ui.protection.events import event_value
from pixgen.ui.search.tab import file_name
from pixgen.ui.search.view import Found
from pixgen.ui.session import BrowserSession

# What a script sends with the hidden button that it presses, beside the session.
SENT = "(session) => [session, document.getElementById('{id}').dataset.sent ?? '']"


def wire_classify_exchange(
    studio: Studio, say: Translator, *, tabs: gr.Tabs, create: Parts, classify: Parts, run: dict[str, Any]
) -> None:
    """Connect Create with Classify; ``run`` are the arguments of an event that classifies."""

    def classify_this(request: gr.Request, session: object) -> tuple:
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


def wire_gallery_exchange(
    handlers: GalleryHandlers,
    *,
    tabs: gr.Tabs,
    create: Parts,
    classify: Parts,
    search: Parts,
    run: dict[str, Any],
    keep: dict[str, Any],
) -> None:
    """Send the picture of an opened run to Create, Classify or Search.

    Args:
        run: the arguments of an event that classifies.
        keep: an event's arguments that keep the form in the browser.
    """
    say, parts, session = handlers.say, handlers.parts, create["session"]

    def copied(request: gr.Request, session: object, run_id: object) -> str:
        with error_toast(say, title=say("Couldn't read the picture")):
            return handlers.presenter(request, session).picture_copy(run_id, create["start_picture"])

    def start(request: gr.Request, session: object, run_id: object) -> tuple:
        copy = copied(request, session, run_id)
        gr.Info(say("The next picture starts from this one."))
        return gr.update(selected="create"), "picture", gr.update(value=copy, visible=True)

    def prompt(request: gr.Request, session: Any, run_id: Any, pictures: Any) -> tuple:
        copy = copied(request, session, run_id)
        gr.Info(say("This picture was added to the picture prompts."))
        return gr.update(selected="create"), [*(pictures or []), copy]

    def name(request: gr.Request, session: object, run_id: object) -> tuple:
        return gr.update(selected="classify"), [copied(request, session, run_id)]

    def find(request: gr.Request, session: object, run_id: object) -> tuple:
        return gr.update(selected="search"), copied(request, session, run_id)

    opened = [session, parts["run"]]
    parts["use_start"].click(
        start, opened, [tabs, create["start"], create["start_picture"]], **QUIET
    ).success(**keep)
    parts["use_prompt"].click(prompt, [*opened, create["pictures"]], [tabs, create["pictures"]], **QUIET)
    parts["classify_it"].click(name, opened, [tabs, classify["pictures"]], **QUIET).success(**run)
    parts["search_it"].click(find, opened, [tabs, search["picture"]], **QUIET).success(
        None, js="() => setTimeout(() => document.getElementById('pg-find')?.click(), 400)"
    )


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
        with error_toast(say, title=say("Couldn't search")):
            if one is None:
                raise PixgenError("Try another search, or fewer filters.")
            path = library.find_file(one[0], one[1].row.path)
            open_picture(path)
            return servable(path, create["start_picture"], name=file_name(one))

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


def link_parts(say: Translator) -> Parts:
    """The hidden parts that links.js uses: buttons that it presses, and the text that it sends with them."""
    parts: Parts = {
        name: gr.Button(visible="hidden", elem_id=f"pg-{name.replace('_', '-')}")
        for name in ("follow_link", "go_to_tab", "go_to_run")
    }
    return parts | {
        "link": gr.Textbox("", visible="hidden", label=say("Copy link")),
        "dropped": gr.File(visible="hidden", label=say("Picture"), elem_id="pg-dropped"),
        "act": gr.Textbox("", visible="hidden", label=say("What to do with this picture")),
    }


def wire_dropped(
    parts: Parts,
    say: Translator,
    *,
    tabs: gr.Tabs,
    create: Parts,
    classify: Parts,
    info: Parts,
    keep: dict[str, Any],
) -> None:
    """Send a picture that was pasted or dropped anywhere on the page where drop.js asked: to Create as the start
    or as a picture prompt, to Classify, or to Picture info.

    Args:
        keep: an event's arguments that keep the form in the browser.
    """

    def send(path: str | None, act: Any, pictures: Any) -> tuple:
        start = kind = prompts = labelled = read = gr.skip()
        tab = {"classify": "classify", "info": "info"}.get(act, "create")
        with error_toast(say, title=say("Couldn't read the picture")):
            if path is None:
                raise PixgenError("The picture did not arrive: drop it again.")
            if act != "info":
                open_picture(path)
        if act == "info":
            read = path
        elif act == "classify":
            labelled = [path]
        elif act == "prompt":
            prompts = [*(pictures or []), path]
            gr.Info(say("This picture was added to the picture prompts."))
        else:
            start, kind = gr.update(value=path, visible=True), "picture"
            gr.Info(say("The next picture starts from this one."))
        return gr.update(selected=tab), start, kind, prompts, labelled, read, None

    parts["dropped"].upload(
        send,
        [parts["dropped"], parts["act"], create["pictures"]],
        [
            tabs,
            create["start_picture"],
            create["start"],
            create["pictures"],
            classify["pictures"],
            info["file"],
            parts["dropped"],
        ],
        js="(file, act, pictures) => [file, window.pixgenDrop.act(), pictures]",
        **QUIET,
    ).success(**keep).then(None, js="() => window.pixgenDrop.done()")


def wire_links(
    handlers: GalleryHandlers,
    parts: Parts,
    create: Parts,
    *,
    fields: dict[str, Field],
    say: Translator,
    tabs: gr.Tabs,
    keep: dict[str, Any],
) -> None:
    """Fill in the form from a link, and let the browser's history go to a tab or open a run.

    Args:
        keep: an event's arguments that keep the form in the browser.
    """

    def linked(request: gr.Request, session: object, link: object) -> tuple[Recipe, str]:
        kind, _, value = str(link).partition("=")
        if kind == "recipe":
            return unpack_recipe(value), say("the link")
        if len(value) > 64:
            raise StudioError("There is no run “{run_id}”.", run_id=value[:60])
        return handlers.presenter(request, session).recipe(value), value

    def follow(request: gr.Request, session: object, link: object) -> list[Any]:
        with error_toast(say, title=say("Couldn't follow the link")):
            recipe, name = linked(request, session, link)
        return fill_in(recipe, fields, name=name, say=say)

    session, link = create["session"], parts["link"]
    followed = parts["follow_link"].click(
        follow,
        [session, link],
        [create[name] for name in filled_names(fields)],
        js=SENT.format(id="pg-follow-link"),
        **QUIET,
    )
    followed.then(**keep).then(None, js="() => window.pixgenLinks.followed()")
    followed.failure(None, js="() => window.pixgenLinks.followed()")
    parts["go_to_tab"].click(
        None,
        None,
        tabs,
        js="() => ({ __type__: 'update', selected: document.getElementById('pg-go-to-tab').dataset.sent })",
        **QUIET,
    )

    opened = handlers.plain(OPENED, lambda presenter, run_id: presenter.opened(run_id))

    def open_run(request: gr.Request, session: object, run_id: object) -> tuple:
        return gr.update(selected="gallery"), *opened(request, session, run_id)

    parts["go_to_run"].click(
        open_run,
        [session, link],
        [tabs, *(handlers.parts[name] for name in OPENED)],
        js=SENT.format(id="pg-go-to-run"),
        **QUIET,
    ).then(None, js=TO_TOP)
