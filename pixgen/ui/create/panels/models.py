"""The models to choose from as a list: a sample, the purpose, the speed, the memory, and whether each is here.

A click on one chooses it; one that is not here is downloaded when it first paints, or by its button. Above each list
are the downloads that its buttons began: the studio's own, so that they continue when the page is closed.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from pixgen.models.catalog import Entry, Kind, find_entry
from pixgen.models.registry import state_of
from pixgen.studio import Studio
from pixgen.studio.model_cache import ModelDownload
from pixgen.ui import canvas
from pixgen.ui.components import QUIET, Field, Parts, fold
from pixgen.ui.errors import guard_handler, show_warning
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession, Watchers
from pixgen.ui.status import fetching_html, status_line

KINDS: dict[str, Kind] = {"model": "vqgan", "clip": "clip", "sketcher": "sketcher"}  # by the form's fields
_SAMPLE = "a red fox on a snowy hill"  # of the wall: the bundled models painted it
_SECONDS_BETWEEN = 0.4  # two looks at the downloads
_CHOOSE = """(model, clip, sketcher) => {
  const [field, name] = document.getElementById('pg-choose-model').dataset.sent.split(' ');
  const values = { model, clip, sketcher };
  values[field] = field === 'clip' ? [name] : name;
  return [values.model, values.clip, values.sketcher];
}"""


def models_html(say: Translator, field: str, names: Sequence[str]) -> str:
    """The models of a field of the form as a list of buttons."""
    entries = [entry for name in names if (entry := find_entry(name, KINDS[field])) is not None]
    items = "".join(_item(say, field, entry) for entry in entries)
    return f'<ul class="pg-models">{items}</ul>'


def downloads_html(say: Translator, field: str, downloads: Sequence[ModelDownload]) -> str:
    """The downloads of a field's models: how far each is, or how it has ended."""
    items = "".join(_download(say, field, each) for each in downloads if each.entry.kind == KINDS[field])
    return f'<ul class="pg-downloads">{items}</ul>' if items else ""


def models_fold(say: Translator, field: str, names: Sequence[str]) -> Parts:
    """The folded list of a field's models, with their downloads above."""
    with fold(say("Compare them"), classes="pg-quiet-fold", toggled="pg-models-toggled"):
        return {
            f"{field}_downloads": gr.HTML("", padding=False),
            f"{field}_list": gr.HTML(
                models_html(say, field, names), padding=False, elem_classes="pg-models-list"
            ),
        }


def model_buttons(say: Translator) -> Parts:
    """The hidden buttons that page.js presses when a model is clicked, or a fold of models is opened."""
    names = ("choose-model", "download-model", "models-toggled")
    parts: Parts = {
        name.replace("-", "_"): gr.Button(visible="hidden", elem_id=f"pg-{name}") for name in names
    }
    parts["models_sent"] = gr.Textbox("", visible="hidden", label=say("Models"))
    return parts


def wire_models(
    studio: Studio, say: Translator, parts: Parts, fields: Mapping[str, Field], *, keep: dict[str, object]
) -> None:
    """Let a click on a model choose it, and its button download it; ``keep`` saves the form in the browser."""
    chosen, watchers = [parts[name] for name in KINDS], Watchers()
    listed = [name for name in KINDS if f"{name}_list" in parts]

    def screen(seen: Sequence[ModelDownload], *, lists: bool) -> tuple[Any, ...]:
        return (
            *(downloads_html(say, name, seen) for name in listed),
            *(models_html(say, name, fields[name].choices) if lists else gr.skip() for name in listed),
        )

    def names_of(request: gr.Request, session: object) -> set[str]:
        """The names by which downloads know who started them: the open page's, and the owner's. A reload changes the first,
        and a browser has the second once it has painted a picture."""
        return {str(request.session_hash), BrowserSession.from_request(session, request).owner}

    async def watch(request: gr.Request, session: object) -> AsyncIterator[tuple[Any, ...]]:
        downloads, page = studio.model_downloads, str(request.session_hash)
        owners = names_of(request, session)
        with watchers.watching(page) as mark:
            running: int | None = None
            while running != 0 and watchers.is_newest(page, mark):
                seen = downloads.current(owners)
                now = sum(each.state == "running" for each in seen)
                yield await asyncio.to_thread(screen, seen, lists=now != running)  # it reads files
                running = now
                await asyncio.sleep(_SECONDS_BETWEEN)

    @guard_handler(say, show_warning())
    def act(request: gr.Request, session: object, sent: object) -> None:
        order, field, name = [*str(sent).split(" ", 2), "", ""][:3]
        if (kind := KINDS.get(field)) is None:
            return
        if order == "cancel":
            studio.model_downloads.cancel(name, kind)
        else:
            studio.model_downloads.start(name, kind, owners=names_of(request, session))

    parts["choose_model"].click(None, chosen, chosen, js=_CHOOSE, **QUIET).then(**keep)
    outputs = [parts[f"{name}_{part}"] for part in ("downloads", "list") for name in listed]
    watching = {
        "inputs": parts["session"],
        "outputs": outputs,
        "concurrency_limit": None,
        "trigger_mode": "multiple",
        **QUIET,
    }
    parts["models_toggled"].click(watch, **watching)
    parts["download_model"].click(
        act,
        [parts["session"], parts["models_sent"]],
        js="(session) => [session, document.getElementById('pg-download-model').dataset.sent]",
        concurrency_limit=None,
        trigger_mode="multiple",  # a second model may be asked for before the first is answered
        **QUIET,
    ).then(watch, **watching)


def _item(say: Translator, field: str, entry: Entry) -> str:
    state = state_of(entry)
    facts = [
        *([say("fast on a CPU")] if entry.bundled else []),
        *(
            [say("{gflops:,.0f} GFLOPs a cutout", gflops=entry.gflops)]
            if not entry.bundled and entry.gflops
            else []
        ),
        *([] if entry.bundled or entry.gflops else [say("made for a GPU")]),
        *([say("{megabytes:,} MB of memory", megabytes=entry.megabytes)] if entry.megabytes else []),
    ]
    here = {"bundled": say("included"), "to fetch": say("downloaded when first used")}.get(
        state, say("installed")
    )
    button = _order(say("Download"), "start", field, entry) if state == "to fetch" else ""
    return (
        f'<li><button type="button" data-model="{field} {escape(entry.name)}" data-state="{state.replace(" ", "-")}">'
        f"<i>{_sample(entry)}</i><span><strong>{escape(entry.name)}</strong><em>{escape(say(entry.paints))}</em>"
        f"<small>{escape(' · '.join([*facts, here]))}</small></span></button>{button}</li>"
    )


def _download(say: Translator, field: str, download: ModelDownload) -> str:
    entry, progress, notice = download.entry, download.progress, ""
    share, order = None, _order(say("Download"), "start", field, entry)
    if download.state == "running":
        title, more = say("Downloading a model"), [entry.name, say("the file is being prepared")]
        if progress is not None:
            more, share = fetching_html(say, progress)
        if share is not None:
            more.append(say("{percent} %", percent=100 * share[0] // max(1, share[1])))
        order = _order(say("Cancel"), "cancel", field, entry)
    elif download.state == "done":
        title, more, order = say("Installed"), [entry.name], ""
    elif download.state == "cancelled":
        title = say("Download cancelled")
        more = [entry.name, say("a new download continues from here")]
    else:
        title, more = say("Couldn't download"), [entry.name]
        reason = escape(say(download.error.message)) if download.error else ""
        notice = f'<p class="pg-notice" role="alert">{reason}</p>'
    line = status_line(title, more, progress=share, say=say)
    return f'<li data-state="{download.state}"><div>{line}</div>{order}{notice}</li>'


def _order(title: str, order: str, field: str, entry: Entry) -> str:
    """The button of a model's download, which page.js sends."""
    name = escape(entry.name)
    return (
        f'<button type="button" class="pg-paint" data-download="{order} {field} {name}" '
        f'aria-label="{escape(title)}: {name}">{escape(title)}</button>'
    )


def _sample(entry: Entry) -> str:
    """A picture that a bundled model has painted; the initial of another, of which no sample is here."""
    if not entry.bundled:
        return escape(entry.name[:1].upper())
    pictures = dict(canvas.wall())
    source = pictures.get(_SAMPLE) or next(iter(pictures.values()), "")
    return f'<img src="{source}" alt="">' if source else escape(entry.name[:1].upper())
