"""The Export video panel below the picture."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from pixgen.errors import VideoError
from pixgen.studio import Studio
from pixgen.studio.video.export import FORMATS, explain_lost_sound, export_with_progress
from pixgen.studio.video.timeline import ExportSettings
from pixgen.ui import html
from pixgen.ui.classify.view import progress_html
from pixgen.ui.components import QUIET, fold, servable
from pixgen.ui.create.actions import file_name
from pixgen.ui.errors import guard_stream
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.events import read_form_number
from pixgen.ui.session import BrowserSession

_LONGEST = 60  # seconds that the page offers
_MOST_FPS = 60
_AT_ONCE = 2  # exports of all visitors together: each needs a core
_EVERY = 10  # frames between two progress updates


def export_fold(say: Translator) -> dict[str, gr.components.Component]:
    """The panel's parts, closed; ``wire_export`` connects them."""
    with fold(say("Export video"), elem_id="pg-export"):
        gr.HTML(html.heading(say("The frames are reused: nothing is painted again.")))
        with gr.Row():
            parts = {
                "format": gr.Dropdown(
                    [
                        (suffix[1:].upper().replace("WEBM", "WebM").replace("WEBP", "WebP"), suffix)
                        for suffix in FORMATS
                    ],
                    value=".mp4",
                    label=say("Format"),
                    min_width=120,
                ),
                "seconds": gr.Slider(
                    0,
                    _LONGEST,
                    0,
                    step=1,
                    label=say("Length in seconds (0: automatic)"),
                    info=say("0: the length of the original video."),
                    buttons=[],
                    min_width=160,
                ),
                "fps": gr.Slider(
                    0,
                    _MOST_FPS,
                    0,
                    step=1,
                    label=say("Frames per second"),
                    info=say("0: as in the original. Set this or the length."),
                    buttons=[],
                    min_width=160,
                ),
                "hold": gr.Slider(
                    0,
                    10,
                    1,
                    step=0.5,
                    label=say("Hold last frame (s)"),
                    buttons=[],
                    min_width=160,
                ),
            }
        with gr.Row():
            for name, label in (
                ("even", say("Even pacing")),
                ("captions", say("Captions")),
                ("loop", say("Seamless loop")),
            ):
                parts[name] = gr.Checkbox(False, label=label, container=False, min_width=150)
        with gr.Row():
            parts["export"] = gr.Button(say("Export"), size="sm", min_width=120, elem_id="pg-export-go")
            parts["exported"] = gr.DownloadButton(
                say("Download video"),
                size="sm",
                min_width=120,
                visible=False,
                elem_id="pg-exported",
            )
        parts["export_status"] = gr.HTML("", elem_id="pg-export-status")
    return parts


def wire_export(
    studio: Studio,
    say: Translator,
    parts: dict[str, gr.components.Component],
    session: gr.BrowserState,
) -> None:
    """Connect the panel: it exports the video of the session's run."""

    def export(request: gr.Request, kept: object, *chosen: Any) -> Iterator[tuple[Any, Any]]:
        visitor = BrowserSession.from_request(kept, request)
        yield gr.update(visible=False), _export_html("painting", say("Writing"))
        yield from guard_stream(
            _export(studio, visitor, chosen, say, component=parts["exported"]),
            say,
            lambda message: (gr.skip(), _export_html("failed", say("Couldn't export"), notice=message)),
        )

    names = ("format", "seconds", "fps", "hold", "even", "captions", "loop")
    parts["export"].click(
        export,
        [session, *(parts[name] for name in names)],
        [parts["exported"], parts["export_status"]],
        concurrency_limit=_AT_ONCE,
        concurrency_id="exports",
        **QUIET,
    )


def _export(
    studio: Studio,
    visitor: BrowserSession,
    chosen: tuple[Any, ...],
    say: Translator,
    *,
    component: gr.DownloadButton,
) -> Iterator[tuple[Any, Any]]:
    suffix, seconds, fps, hold, even, captions, loop = chosen
    run = visitor.run(studio)
    if run is None or not run.video.is_file():
        raise VideoError("There is no video yet: paint something first.")
    cut = ExportSettings(
        seconds=read_form_number(seconds or 0, float, name="seconds") or None,
        fps=read_form_number(fps or 0, float, name="fps") or None,
        hold=read_form_number(hold or 0, float, name="hold"),
        even=bool(even),
        captions=bool(captions),
        loop=bool(loop),
    )
    with tempfile.TemporaryDirectory(prefix="pixgen-") as folder:
        path = Path(folder) / f"film{suffix}"
        for done, total in export_with_progress(run.video, path, cut):
            if done % _EVERY == 1:
                more = say("frame {done} of {total}", done=done, total=total)
                told = _export_html("painting", say("Writing"), more=more, part=done / total)
                yield gr.skip(), told
        copy, size = (
            servable(path, component, name=f"{file_name(run.recipe)}{suffix}"),
            _size(say, path),
        )
    notice = say(explain_lost_sound(run.video, path, cut))
    told = _export_html("done", say("Done"), more=size, part=1.0, notice=notice)
    yield gr.update(value=copy, visible=True), told


def _export_html(state: str, said: str, *, more: str = "", **figures: Any) -> str:
    return progress_html(state, said, more=(more,) if more else (), **figures)


def _size(say: Translator, path: Path) -> str:
    size = path.stat().st_size / 1000
    if size < 1000:
        return say("{size:.0f} KB", size=size)
    return say("{size:.1f} MB", size=size / 1000)
