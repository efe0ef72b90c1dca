"""The endpoint ``/search``: finds pictures by text or by a picture, for ``gradio_client`` and HTTP."""

import contextlib
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.studio.library.library import RUNS, PictureLibrary
from pixgen.ui.errors import error_text
from pixgen.ui.files import servable
from pixgen.ui.i18n import Translator
from pixgen.ui.search import actions
from pixgen.ui.search.tab import MOST_SHOWN


def add_search_api(library: PictureLibrary, say: Translator) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built, as invisible components."""

    def search(
        request: gr.Request, query: str, picture: str | None, place: str, top: int, threshold: float,
        model: str, after: str, before: str, folder: str, side: int, said: str, preset: str,
        drawn_by: str, seed: str,
    ) -> tuple[list[dict[str, Any]], list[str]]:  # fmt: skip
        owner = request.username or f"api-{request.session_hash}"
        values = {
            "query": query, "picture": picture, "place": place, "top": top, "threshold": threshold,
            "model": model, "after": after, "before": before, "folder": folder, "side": side,
            "prompt": said, "preset": preset, "painted_by": drawn_by, "seed": seed,
        }  # fmt: skip
        try:
            form = actions.SearchForm.read(values)
            *_, last = actions.search(library, form, uploaded=None, owner=owner, say=say)
        except PixgenError as error:
            raise gr.Error(
                error_text(error, say), title=say("Couldn't search"), print_exception=False
            ) from error
        facts, files = [], []
        for one, hit in last.found:
            with contextlib.suppress(PixgenError, OSError):  # gone since it was indexed
                file = library.find_file(one, hit.row.path)
                files.append(servable(file, files_out, name=Path(hit.row.path).name))
                facts.append(
                    {
                        "score": round(hit.similarity, 4),
                        "name": Path(hit.row.path).name,
                        # Below its collection's folder: it tells equal names apart. Not called "path": gradio takes
                        # a dictionary with a path for a file, which clients then try to download.
                        "relative_path": hit.row.path,
                        "width": hit.row.width,
                        "height": hit.row.height,
                        "prompt": hit.row.prompt,
                        "seed": hit.row.seed,
                        "alike": len(hit.copies),
                    }
                )
        return facts, files

    with gr.Column(visible=False):
        inputs = [
            gr.Textbox("", label=say("Search for")),
            gr.File(label=say("Search by picture")),
            gr.Textbox(RUNS, label=say("Collection")),
            gr.Number(20, label=say("Number of results"), precision=0, minimum=1, maximum=MOST_SHOWN),
            gr.Number(-1, label=say("Minimum similarity"), minimum=-1, maximum=1),
            gr.Textbox(library.model, label=say("CLIP model")),
            gr.Textbox("", label=say.pgettext("search", "From")),
            gr.Textbox("", label=say.pgettext("search", "Until")),
            gr.Textbox("", label=say("Subfolder")),
            gr.Number(0, label=say("Minimum width and height (pixels)"), precision=0, minimum=0),
            gr.Textbox("", label=say("Prompt contains")),
            gr.Textbox("", label=say("Preset")),
            gr.Textbox("", label=say("Image model")),
            gr.Textbox("", label=say("Seed")),
        ]
        files_out = gr.File(label=say("Search results"), file_count="multiple")
        outputs = [gr.JSON(label=say("{count} found")), files_out]
        gr.Button().click(
            search,
            inputs,
            outputs,
            api_name="search",
            api_description=say(
                "Finds pictures by text, by a picture or by both. Returns their scores and metadata, and the files."
            ),
            concurrency_limit=8,
            show_progress="hidden",
        )
