"""The whole page: header, tabs, look and keys; and how it is served."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from pixgen.pictures import MAX_BYTES
from pixgen.studio import Studio
from pixgen.ui import html
from pixgen.ui.api import add_api
from pixgen.ui.create import create_tab
from pixgen.ui.texts import ENGLISH, Words
from pixgen.ui.theme import theme

_HERE = Path(__file__).parent
_CACHE = (3600, 86400)  # seconds: looked through every hour, kept for a day
_MOST_WATCHERS = 200


def build(studio: Studio, *, words: Words = ENGLISH) -> gr.Blocks:
    """The page over a studio; its policy decides what is offered."""
    with gr.Blocks(title=words.title, analytics_enabled=False, delete_cache=_CACHE) as page:
        gr.HTML(html.header(words))
        with gr.Tabs():
            with gr.Tab(words.create):
                create_tab(studio, words, page)
        add_api(studio, words)
    return page.queue(max_size=_MOST_WATCHERS)


def uploads_folder() -> Path:
    """The folder where gradio keeps what is uploaded."""
    return Path(get_upload_folder())


def launch(page: gr.Blocks, **where: Any) -> Any:
    """Serve the page; ``where`` is gradio's server_name, server_port, share, auth, and so on."""
    return page.launch(
        theme=theme(),
        css_paths=_HERE / "page.css",
        favicon_path=_HERE / "favicon.svg",
        js=(_HERE / "page.js").read_text("utf-8"),
        footer_links=["api", "settings"],
        allowed_paths=[],  # files are served as copies: see files.py
        max_file_size=MAX_BYTES,
        max_threads=100,  # a watcher holds one while it waits for its next picture
        enable_monitoring=False,
        run_history=False,
        show_error=False,
        ssr_mode=False,  # the page's own script expects the page to be there when it runs
        **where,
    )
