"""The page's endpoint ``/search``: pictures by words or by a picture, for ``gradio_client``."""

import contextlib
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.studio.finding import RUNS, Finder
from pixgen.ui import finding
from pixgen.ui.files import servable
from pixgen.ui.mishaps import sentence
from pixgen.ui.search import MOST_SHOWN
from pixgen.ui.texts import Words


def add_search_api(finder: Finder, words: Words) -> None:
    """Add the endpoint to the ``gr.Blocks`` that is being built; nothing of it is to be seen."""
    say = words.search

    def search(
        request: gr.Request, query: str, picture: str | None, place: str, top: int, threshold: float,
        model: str, after: str, before: str, folder: str, side: int, said: str, preset: str,
        drawn_by: str, seed: str,
    ) -> tuple[list[dict[str, Any]], list[str]]:  # fmt: skip
        owner = request.username or f"api-{request.session_hash}"
        asked = {
            "query": query, "picture": picture, "place": place, "top": top, "threshold": threshold,
            "model": model, "after": after, "before": before, "folder": folder, "side": side,
            "said": said, "preset": preset, "drawn_by": drawn_by, "seed": seed,
        }  # fmt: skip
        try:
            *_, last = finding.search(finder, asked, uploaded=None, owner=owner, words=words)
        except PixgenError as error:
            raise gr.Error(
                sentence(error, words), title=say.failed, print_exception=False
            ) from error
        facts, files = [], []
        for one, hit in last.found:
            with contextlib.suppress(PixgenError, OSError):  # gone since it was indexed
                file = finder.file(one, hit.row.path)
                files.append(servable(file, files_out, name=Path(hit.row.path).name))
                facts.append({
                    "score": round(hit.score, 4), "name": Path(hit.row.path).name,
                    "width": hit.row.width, "height": hit.row.height, "prompt": hit.row.prompt,
                    "seed": hit.row.seed, "alike": len(hit.copies),
                })  # fmt: skip
        return facts, files

    with gr.Column(visible=False):
        inputs = [
            gr.Textbox("", label=say.query),
            gr.File(label=say.picture),
            gr.Textbox(RUNS, label=say.place),
            gr.Number(20, label=say.top, precision=0, minimum=1, maximum=MOST_SHOWN),
            gr.Number(-1, label=say.threshold, minimum=-1, maximum=1),
            gr.Textbox(finder.model, label=words.models.clip),
            gr.Textbox("", label=say.after),
            gr.Textbox("", label=say.before),
            gr.Textbox("", label=say.folder),
            gr.Number(0, label=say.side, precision=0, minimum=0),
            gr.Textbox("", label=say.said),
            gr.Textbox("", label=say.preset),
            gr.Textbox("", label=say.drawn_by),
            gr.Textbox("", label=say.seed),
        ]
        files_out = gr.File(label=say.pictures, file_count="multiple")
        outputs = [gr.JSON(label=say.found), files_out]
        gr.Button().click(
            search, inputs, outputs, api_name="search", api_description=say.api,
            concurrency_limit=8, show_progress="hidden",
        )  # fmt: skip
