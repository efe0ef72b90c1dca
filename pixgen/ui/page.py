"""The whole page (header, tabs, theme and shortcuts), and how it is served."""

import json
import os
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import utils
from starlette.middleware import Middleware

from pixgen.images import LARGEST_UPLOAD
from pixgen.paths import STATIC
from pixgen.studio import Policy, Studio
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.library.classifier import ClassifierService
from pixgen.studio.library.library import PictureLibrary
from pixgen.studio.runs.retention import Retention, parse_retention
from pixgen.ui import html
from pixgen.ui.api import add_classify_api, add_generate_api, add_queue_api, add_search_api
from pixgen.ui.blocks import LightBlocks, light_sessions
from pixgen.ui.classify.tab import classify_tab
from pixgen.ui.create.form import form_fields
from pixgen.ui.create.panels.presets import preset_table
from pixgen.ui.create.tab import create_tab, save_form_event
from pixgen.ui.experiment.tab import experiment_tab
from pixgen.ui.gallery.events import GalleryEvents, GalleryHandlers
from pixgen.ui.gallery.side_bar import side_bar, wire_side
from pixgen.ui.gallery.tab import gallery_tab
from pixgen.ui.i18n import ENGLISH, LANGUAGES, Translator
from pixgen.ui.i18n.translator import LanguageRedirect, language_links, other_languages
from pixgen.ui.info.tab import info_tab, wire_info
from pixgen.ui.monitoring import Monitoring, StudioMetrics
from pixgen.ui.protection.headers import EndpointGuard, SecurityHeaders
from pixgen.ui.protection.logins import LoginDelay, offers_hugging_face
from pixgen.ui.protection.uploads import RequestLimits, UploadLimits
from pixgen.ui.protection.visitors import ignore_refusal
from pixgen.ui.search.tab import search_tab
from pixgen.ui.send_to import (
    link_parts,
    wire_classify_exchange,
    wire_dropped,
    wire_gallery_exchange,
    wire_links,
    wire_search_exchange,
)
from pixgen.ui.theme import theme

_CACHE = (3600, 86400)  # seconds: checked every hour, kept for a day
_HEARTBEAT = 5  # seconds between two signs of life on a stream of events
# Gradio shows links to the languages above the page until its own styles hide them, which moves everything.
_STEADY = "<style>.nav-holder { display: none !important; }</style>"
_MOST_WATCHERS = 200
_MOST_SESSIONS = 100  # whose state gradio keeps, 1.4 MB each; the one that was used the longest ago goes


def build(studio: Studio, *, library: PictureLibrary | None = None, say: Translator = ENGLISH) -> gr.Blocks:
    """Build the page for a studio; its policy decides what is offered.

    Args:
        library: of the folders that may be searched; by default of what was painted here alone.
        say: the language at ``/``; each other one has its own address.
    """
    library, service, gallery = (
        library or PictureLibrary(studio),
        ClassifierService(studio),
        Gallery(studio),
    )
    Retention(gallery, studio.policy.keep).follow()
    with LightBlocks(title="pixgen", analytics_enabled=False, delete_cache=_CACHE) as page:
        page.public = studio.policy.public
        _tabs(studio, library, service, gallery, say, page=page, first=say)
        add_generate_api(studio, say)
        add_queue_api(studio, say)
        add_search_api(library, say)
        add_classify_api(service, say)
    for other in other_languages(say):
        with page.route(other.name, other.language, show_in_navbar=False):
            _tabs(studio, library, service, gallery, other, page=page, first=say)
    # Strangers may not call what waits in the queue without waiting in it.
    return page.queue(max_size=_MOST_WATCHERS, api_open=not studio.policy.public)


def _tabs(
    studio: Studio,
    library: PictureLibrary,
    service: ClassifierService,
    gallery: Gallery,
    say: Translator,
    *,
    page: gr.Blocks,
    first: Translator,
) -> None:
    """The page in one language. A tab is a function that builds its parts and returns them; send_to.py sends
    pictures and prompts from one to another."""
    gr.Navbar(visible=False)  # the header leads to the other languages
    gr.HTML(html.header(say, language_links(first)) + html.script_texts(say))
    if offers_hugging_face():
        said = say("Sign in with Hugging Face"), say("Sign out ({name})", name="{}")
        gr.LoginButton(*said, size="sm", scale=0, min_width=0, elem_id="pg-sign-in")
    links = link_parts(say)
    with gr.Tabs() as tabs:
        with gr.Tab(say("Create"), id="create"):
            create = create_tab(studio, say, page)
        with gr.Tab(say("Gallery"), id="gallery") as shelves:
            shelf = gallery_tab(say, studio.policy.keep)
        with gr.Tab(say("Classify"), id="classify"):
            classify, run = classify_tab(service, say, page)
        with gr.Tab(say("Search"), id="search"):
            search = search_tab(library, say, page, session=create["session"])
        with gr.Tab(say("Experiment"), id="experiment") as tab:
            experiment_tab(studio, say, tabs=tabs, tab=tab, create=create)
        with gr.Tab(say("Picture info"), id="info"):
            info = info_tab(say)
    side = side_bar(say)
    handlers = GalleryHandlers(gallery, library, say, {**shelf, **side}, create["session"])
    wire_side(handlers, tabs)
    events = GalleryEvents(handlers, create=create, tabs=tabs)
    events.connect(shelves)
    wire_classify_exchange(studio, say, tabs=tabs, create=create, classify=classify, run=run)
    asked = form_fields(studio.policy)
    keep = save_form_event(create, asked)
    events.connect_form(asked, keep)
    wire_links(handlers, links, create, fields=asked, say=say, tabs=tabs, keep=keep)
    wire_info(info, create, fields=asked, say=say, tabs=tabs, keep=keep)
    wire_dropped(links, say, tabs=tabs, create=create, classify=classify, info=info, keep=keep)
    wire_gallery_exchange(
        handlers, tabs=tabs, create=create, classify=classify, search=search, run=run, keep=keep
    )
    wire_search_exchange(library, say, tabs=tabs, search=search, create=create, classify=classify, run=run)


def _head() -> str:
    """What is there before gradio builds the page: a style that keeps it still, and the scripts that run first."""
    connection, form = ((STATIC / name).read_text("utf-8").rstrip() for name in ("connection.js", "form.js"))
    longest = {name: field.longest for name, field in form_fields(Policy()).items()}
    return (
        f"{_STEADY}<script>({connection})({_longest_silence()});</script>"
        f"<script>({form})({json.dumps(preset_table())}, {json.dumps(longest)});</script>"
    )


def _longest_silence() -> int:
    """Seconds without a sign of life after which a browser takes its stream of events for lost."""
    own = getattr(utils, "get_heartbeat_rate", None)  # earlier versions of gradio give one every 15 seconds
    return round(3 * (own() if own is not None else 15))


def _script(*names: str) -> str:
    """Several scripts, each a function, as one function that calls them in turn."""
    calls = "".join(f"({(STATIC / name).read_text('utf-8').rstrip()})();\n" for name in names)
    return f"() => {{\n{calls}}}"


def policy_of(*, public: bool, keep: str | None = None) -> Policy:
    """The policy for the page's visitors. Raises StudioError if ``keep`` is not a valid limit."""
    if not public:
        parse_retention(keep or "all")  # checked always, although only a public page deletes runs
        return Policy()
    return Policy.for_public(picture_folders=(uploads_folder(),), keep=keep)


def uploads_folder() -> Path:
    """The folder where gradio stores uploads."""
    return Path(utils.get_upload_folder())


def launch(
    page: gr.Blocks,
    *,
    studio: Studio | None = None,
    by_browser: bool = True,
    public: bool = False,
    **where: Any,
) -> Any:
    """Serve the page; ``where`` is gradio's server_name, server_port, share, auth, and so on.

    Args:
        studio: answers ``/health`` and ``/metrics``.
        public: bound what is uploaded, and leave out endpoints of gradio's that the page has no use for.
        by_browser: send those whose browser prefers another language to the page in it.
    """
    os.environ.setdefault("GRADIO_HEARTBEAT_INTERVAL", str(_HEARTBEAT))  # gradio has no other way to set it
    elsewhere = {path for path, *_ in page.pages}
    first = next(code for code in LANGUAGES if code not in elsewhere)
    metrics = None if studio is None else StudioMetrics(studio)
    refuse = ignore_refusal if metrics is None else metrics.refuse
    monitoring = {"studio": studio, "metrics": metrics, "public": public}
    bounds = [
        Middleware(RequestLimits, refuse=refuse),
        Middleware(UploadLimits, folder=uploads_folder(), refuse=refuse),
    ]
    middleware = [
        Middleware(SecurityHeaders),
        Middleware(EndpointGuard, public=public),
        *([Middleware(Monitoring, **monitoring)] if metrics is not None else []),
        Middleware(LoginDelay, refuse=refuse),
        *(bounds if public else []),
        Middleware(LanguageRedirect, first=first, by_browser=by_browser),
    ]
    return page.launch(
        theme=theme(),
        css_paths=[STATIC / "page.css", STATIC / "side.css"],
        favicon_path=STATIC / "favicon.svg",
        head=_head(),
        # Esc closes the light box, the drawing pad, or the side bar that covers the page, before it stops a picture.
        js=_script(
            "lightbox.js",
            "drop.js",
            "completion.js",
            "typing.js",
            "pad.js",
            "brush.js",
            "side.js",
            "scenes.js",
            "selection.js",
            "page.js",
            "notify.js",
            "links.js",
        ),
        footer_links=["api", "settings"],
        allowed_paths=[],  # files are served as copies: see ``servable``
        max_file_size=LARGEST_UPLOAD,
        max_threads=100,  # a watcher of a grid holds one while it waits for its next picture
        state_session_capacity=_MOST_SESSIONS,
        enable_monitoring=False,
        run_history=False,
        show_error=False,
        ssr_mode=False,  # the page's own script expects the page to be there when it runs
        app_kwargs={"middleware": middleware, "lifespan": light_sessions},
        **where,
    )
