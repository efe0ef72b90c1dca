"""The Create tab: builds its three columns and connects their events to the actions."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from pixgen.errors import PixgenError
from pixgen.images import open_picture
from pixgen.studio import Studio
from pixgen.studio.runs.edits import MORE_STEPS
from pixgen.studio.runs.inputs import read_lookup
from pixgen.studio.video.sound import open_sound
from pixgen.ui import canvas, html, status
from pixgen.ui.components import QUIET, Field, Parts, on_answer, servable
from pixgen.ui.create import actions
from pixgen.ui.create import queue as queue_view
from pixgen.ui.create.actions import Screen
from pixgen.ui.create.controls import advanced_drawer, rail
from pixgen.ui.create.drawn import pad_html
from pixgen.ui.create.form import JOURNEY_INPUTS, PICTURE_UPLOADS, UPLOADS, CreateForm, form_fields
from pixgen.ui.create.panels.augmentations import cutouts_fold, wire_augmentations
from pixgen.ui.create.panels.curves import wire_curves
from pixgen.ui.create.panels.models import wire_models
from pixgen.ui.create.panels.moving_region import wire_moving_region
from pixgen.ui.create.panels.presets import preset_order, wire_presets
from pixgen.ui.create.panels.shapes import wire_shapes
from pixgen.ui.create.panels.styles import wire_styles
from pixgen.ui.create.panels.upscaling import upscale_parts, wire_upscaling
from pixgen.ui.create.panels.video_export import export_fold, wire_export
from pixgen.ui.create.prompt_help import wire_help, wire_memory
from pixgen.ui.errors import error_text, guard_handler, show_warning, toast_text
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession, Watchers
from pixgen.ui.streaming import without_thread

# Stored values are only obscured, because every browser gets this key. They contain no secrets.
_KEPT = {"secret": "kept-in-this-browser"}
_BUTTONS = ("apply", "go_on", "more", "fork", "large")
_FINISHED = ("picture", "film", "copy_link", "enlarge", "classify_this")  # for a finished picture
_SHOWN = (
    "canvas",
    "status",
    "sketches",
    "queue",
    "refused",
    "generate",
    "stop",
    "session",
    *_FINISHED,
    *_BUTTONS,
)

_PICK = f"() => [document.getElementById('pg-wall-pick').dataset.prompt, '{canvas.WALL_SEED}']"
_PAINT_PICKED = """async () => {
  document.getElementById('pg-generate').click();
  await new Promise((taken) => setTimeout(taken));
  return '';
}"""
# What is read of an upload when it is added; the panel of moving regions checks its own, and painting a video.
_CHECKS: dict[str, Callable[[Path], object]] = {
    **dict.fromkeys(PICTURE_UPLOADS, open_picture),
    "lookup_file": read_lookup,
    "sound": open_sound,
}


def create_tab(studio: Studio, say: Translator, page: gr.Blocks) -> Parts:
    """Build the tab inside a ``gr.Blocks`` and connect it to the studio; its parts, by name."""
    asked = form_fields(studio.policy)
    with gr.Row(elem_classes="pg-create"):
        with gr.Column(elem_classes="pg-words"):
            parts = rail(asked, studio.policy, say)
        with gr.Column(elem_classes="pg-stage"):
            parts |= _stage(say, public=studio.policy.public)
        with gr.Column(elem_classes="pg-settings"):
            parts |= advanced_drawer(asked, studio.policy, say)
    for name in asked:  # form.js fills in what the browser has saved, by these classes
        parts[name].elem_classes = [*(parts[name].elem_classes or []), f"pg-field-{name}"]
    for name in UPLOADS:
        parts[name].elem_classes = [*(parts[name].elem_classes or []), f"pg-upload-{name}"]
    parts["session"] = gr.BrowserState("", storage_key="pixgen-seat", **_KEPT)
    # Where an earlier version saved the settings; form.js reads it once.
    parts["kept"] = gr.BrowserState({}, storage_key="pixgen-settings", **_KEPT)
    _wire_painting(
        studio, say, page, parts, list(dict.fromkeys([*asked, *UPLOADS, *JOURNEY_INPUTS, "drawn", "mask"]))
    )
    begun = _wire_settings(studio, say, page, parts, asked)
    restored = _wire_uploads(parts, say, begun=begun)
    wire_moving_region(studio, say, parts, restored=restored)
    wire_memory(studio, say, page, parts)
    wire_curves(say, parts)
    wire_export(studio, say, parts, parts["session"])
    wire_shapes(studio, say, parts)
    wire_upscaling(studio, say, parts)
    wire_augmentations(
        studio,
        say,
        parts,
        known=lambda request, session: BrowserSession.from_request(session, request),
    )
    return parts


def _stage(say: Translator, *, public: bool) -> Parts:
    gr.HTML(pad_html(say), padding=False)
    parts: Parts = {
        "canvas": gr.HTML(canvas.empty_html(say), elem_id="pg-canvas"),
        "status": gr.HTML(status.idle_html(), elem_id="pg-status"),
    }
    parts["refused"] = gr.HTML("", elem_id="pg-refused", visible="hidden")
    parts |= queue_parts(say)  # with more than one picture it is what one looks for: above the fold
    with gr.Row(elem_classes="pg-actions"):
        parts["picture"] = gr.DownloadButton(
            say("Picture"), interactive=False, size="sm", min_width=0, elem_id="pg-picture"
        )
        parts["film"] = gr.DownloadButton(
            say("Video"), interactive=False, size="sm", min_width=0, elem_id="pg-film"
        )
        parts |= upscale_parts(say, public=public)
        parts |= ending_buttons(say)
        parts["copy_link"] = gr.Button(
            say("Copy link"), interactive=False, size="sm", min_width=0, elem_id="pg-copy-link"
        )
        parts["classify_this"] = gr.Button(
            say("Classify this"), interactive=False, size="sm", min_width=0, elem_id="pg-classify-this"
        )
        # page.js lays a brush over the picture, and sends what it covered when Generate is pressed.
        gr.Button(say("Edit an area"), size="sm", min_width=0, elem_id="pg-change-part")
        parts["crisp"] = gr.Checkbox(
            False, label=say("Pixelated"), container=False, min_width=0, elem_id="pg-crisp"
        )
    gr.HTML('<button type="button" id="pg-notify" aria-pressed="false" hidden></button>', padding=False)
    gr.HTML(html.brush_help(say) + html.reasons(say))
    parts |= export_fold(say)
    # Below everything else: they appear while painting, and must not move anything.
    parts |= cutouts_fold(say)
    parts["sketches"] = gr.HTML("", elem_id="pg-sketches")
    # Pressed by page.js to show a run of another tab here.
    parts["look_at"] = gr.Button(visible="hidden", elem_id="pg-look-at")
    # Pressed by page.js when a sketch is clicked.
    parts["take"] = gr.Button(visible="hidden", elem_id="pg-take")
    parts["pick"] = gr.Number(0, visible="hidden", precision=0)
    parts["drawn"] = gr.Textbox("", visible="hidden", label=say("The drawing"))
    parts["mask"] = gr.Textbox("", visible="hidden", label=say("Edit an area"))
    return parts


def _wire_painting(studio: Studio, say: Translator, page: gr.Blocks, parts: Parts, names: list[str]) -> None:
    outputs, watchers = [parts[name] for name in _SHOWN], Watchers()

    def shown(screens: Iterator[Screen], form: CreateForm | None = None) -> Iterator[tuple]:
        for screen in actions.with_error_screen(screens, say=say, form=form):
            yield _updates(screen, parts, say)

    def known(request: gr.Request, session: object) -> BrowserSession:
        return BrowserSession.from_request(session, request, watchers=watchers)

    @without_thread
    def paint(request: gr.Request, session: object, *values: Any) -> Iterator[tuple]:
        form = CreateForm.read(dict(zip(names, values, strict=True)))
        yield from shown(actions.paint(studio, form, known(request, session), say=say), form)

    @without_thread
    def take(request: gr.Request, session: object, pick: object) -> Iterator[tuple]:
        yield from shown(actions.use_sketch(studio, known(request, session), pick, say=say))

    @without_thread
    def look_at(request: gr.Request, session: object) -> Iterator[tuple]:
        yield from shown(actions.show_run(studio, known(request, session), say=say))

    @without_thread
    def come_back(request: gr.Request, session: object) -> Iterator[tuple]:
        yield from shown(actions.restore_screen(studio, known(request, session), say=say))

    def stop(request: gr.Request, session: object) -> tuple:
        screen = actions.stop(studio, BrowserSession.from_request(session, request))
        return _updates(screen, parts, say)

    # The studio has its own queue, so gradio's has no limit: watching costs almost nothing.
    watching = {"outputs": outputs, "concurrency_limit": None, **QUIET}
    parts["generate"].click(
        paint,
        [parts["session"], *(parts[name] for name in names)],
        **watching,
        js=_sending(names, brushed="window.pixgenBrush.taken()"),
        trigger_mode="multiple",  # while a picture is painted, the next may be added
    )
    _wire_buttons(studio, say, parts, names, known=known, shown=shown, watching=watching)
    parts["take"].click(
        take,
        [parts["session"], parts["pick"]],
        **watching,
        js="(session, pick) => [session, Number(document.getElementById('pg-take').dataset.pick)]",
    )
    parts["look_at"].click(look_at, parts["session"], **watching)
    page.load(come_back, parts["session"], **watching)
    parts["stop"].click(stop, parts["session"], outputs, queue=False, **QUIET)


def _updates(screen: Screen, parts: Parts, say: Translator) -> tuple:
    """A screen as gradio's updates of ``_SHOWN``."""
    if screen.notice and screen.status is None:  # it is shown below the picture instead, where it stays
        gr.Warning(toast_text(screen.notice), duration=8)
    changes: dict[str, Any] = {
        name: value
        for name in ("canvas", "status", "sketches", "queue", "refused", "session")
        if (value := getattr(screen, name)) is not None
    }
    if screen.busy:
        changes["stop"] = gr.update(interactive=screen.busy == "painting")
    if screen.busy == "painting":
        changes |= {name: gr.update(interactive=False) for name in _FINISHED}
    changes |= _button_updates(screen, say)
    if screen.files:
        changes |= {name: gr.update(interactive=True) for name in _FINISHED[2:]}
        for name, path in zip(("picture", "film"), screen.files, strict=True):
            copy = None
            if path is not None:
                with contextlib.suppress(OSError):  # a full disk: the page shows the picture anyway
                    copy = servable(path, parts[name], name=screen.name + path.suffix)
            changes[name] = gr.update(value=copy, interactive=copy is not None)
    return tuple(changes.get(name, gr.skip()) for name in _SHOWN)


def save_form_event(parts: Parts, asked: dict[str, Field]) -> dict[str, Any]:
    """The arguments of an event that saves the form's settings in the browser."""
    pairs = ", ".join(f"{name}: values[{index}]" for index, name in enumerate(asked))
    return {
        "fn": None,
        "inputs": [parts[name] for name in asked],
        "outputs": None,
        "js": f"(...values) => {{ window.pixgenForm.save({{{pairs}}}) }}",
    }


def _sending(names: Sequence[str], *, brushed: str) -> str:
    """What the browser does when the session and the form's values, by ``names``, are sent: it adds the scenes of
    a story, what was drawn and ``brushed``."""
    return f"""(...values) => {{
  window.pixgenForm.sent({json.dumps(names)}, values.slice(1));
  values[{names.index("story_rows") + 1}] = window.pixgenScenes.sent();
  return [...values.slice(0, -2), window.pixgenPad.drawn(), {brushed}];
}}"""


def _wire_settings(
    studio: Studio, say: Translator, page: gr.Blocks, parts: Parts, asked: dict[str, Field]
) -> Dependency:
    """Connect presets, examples and seeds, which are filled in in the browser, and save all settings
    there; the event after which the page can be used."""
    keep = save_form_event(parts, asked)
    kept = keep["inputs"]
    names = json.dumps(list(asked))
    adopted = page.load(
        None, parts["kept"], kept, js=f"(old) => window.pixgenForm.adopt(old, {names})", **QUIET
    )
    begun = adopted.then(None, js=f"() => window.pixgenForm.start({json.dumps(preset_order())})", **QUIET)
    wire_styles(parts, say, keep=keep)
    wire_help(parts, say, keep=keep)
    wire_models(studio, say, parts, asked, keep=keep)

    gr.on([part.input for part in kept], **keep)
    # Pressed when text is pasted or deleted, for which gradio has no event.
    on_answer(gr.Button(visible="hidden", elem_id="pg-keep").click(**keep), "pg-keep")
    wire_presets(parts, asked, keep=keep)
    # The seed is that of the picture on the wall for this press alone.
    parts["wall"].click(None, None, [parts["prompt"], parts["seed"]], js=_PICK).then(
        None, None, parts["seed"], js=_PAINT_PICKED
    ).then(**keep)
    parts["draw"].click(
        None, None, parts["start"], js="() => { window.pixgenPad.open('draw'); return 'drawn'; }"
    ).then(**keep)
    parts["seed_new"].click(None, None, parts["seed"], js="() => ''").then(**keep)
    parts["seed_reuse"].click(
        None,
        [parts["session"], parts["seed"]],
        parts["seed"],
        js="(session, seed) => JSON.parse(session || '{}').seed ?? seed",
    ).then(**keep)
    for name in ("crisp", "start", "preset"):
        parts[name].change(
            None, parts[name], None, js=f"(value) => window.pixgenForm.show({{ {name}: value }})"
        )
    return begun


def _wire_uploads(parts: Parts, say: Translator, *, begun: Dependency) -> Dependency:
    """Check uploads when they are added, not when they are painted; and save in the browser where the server has
    them.

    Args:
        begun: the event after which the page can be used.

    Returns the event after which only what the server still has is in the fields.
    """

    def read(name: str, added: Any) -> tuple[Any, str]:
        try:
            for path in added if isinstance(added, list) else [added]:
                _CHECKS[name](Path(path))
        except PixgenError as error:
            return None, json.dumps([name, error_text(error, say)])
        return gr.skip(), json.dumps([name, ""])

    said = gr.Textbox("", visible="hidden", label=say("The upload"))
    for name in _CHECKS:
        parts[name].upload(
            partial(read, name), parts[name], [parts[name], said], concurrency_limit=None, **QUIET
        ).then(None, said, None, js="(said) => window.pixgenForm.markUpload(...JSON.parse(said))", **QUIET)
    parts["basis"].change(None, parts["basis"], None, js="(text) => { window.pixgenPad?.basis(text); }")
    # The number of active regions depends on the prompts, which are restored after the brushed areas.
    parts["prompt"].change(None, None, None, js="() => { window.pixgenPad?.mark(); }")
    parts["regions"].click(None, None, None, js="() => { window.pixgenPad.open('regions'); }")
    uploads, names = [parts[name] for name in UPLOADS], json.dumps(UPLOADS)
    save = f"(...values) => {{ window.pixgenForm.saveUploads({names}, values) }}"
    gr.on([part.change for part in uploads], None, uploads, None, js=save, **QUIET)
    return begun.then(None, None, uploads, js=f"() => window.pixgenForm.checkUploads({names})", **QUIET)


def ending_buttons(say: Translator) -> Parts:
    """The buttons for a finished picture; hidden until there is one."""
    labels = {
        "go_on": say("Continue"),
        "more": say("{steps} more steps", steps=MORE_STEPS),
        "fork": say("Continue with this prompt"),
    }
    return {
        name: gr.Button(label, visible=False, size="sm", min_width=0, elem_id=f"pg-{name.replace('_', '-')}")
        for name, label in labels.items()
    }


def queue_parts(say: Translator) -> Parts:
    """The list of waiting pictures, and the hidden button that page.js presses for its buttons."""
    return {
        "queue": gr.HTML("", elem_id="pg-queue"),
        "queue_act": gr.Button(visible="hidden", elem_id="pg-queue-act"),
        "queue_order": gr.Textbox("", visible="hidden", label=say("The queue")),
    }


def _button_updates(screen: Screen, say: Translator) -> dict[str, Any]:
    """A screen as gradio's updates of ``_SHOWN`` and of the Generate button."""
    changes: dict[str, Any] = {}
    if screen.busy is not None:
        painting_now = screen.busy == "painting"
        changes["apply"] = gr.update(interactive=painting_now)
        changes["generate"] = gr.update(
            interactive=screen.busy in ("idle", "painting"),
            value=say("Add to the queue") if painting_now else say("Generate"),
        )
    if screen.busy in ("starting", "painting"):
        changes |= {name: gr.update(visible=False) for name in ("go_on", "more", "fork", "large")}
    if screen.files:
        label = say("Continue") if screen.begun else say("Start")
        changes["go_on"] = gr.update(visible=screen.resumable, value=label)
        changes |= {name: gr.update(visible=screen.forkable) for name in ("more", "fork")}
    return changes


def _wire_buttons(
    studio: Studio,
    say: Translator,
    parts: Parts,
    names: Sequence[str],
    *,
    known: Callable[[gr.Request, Any], BrowserSession],
    shown: Callable[..., Iterator[tuple]],
    watching: dict[str, Any],
) -> None:
    """Connect the buttons.

    Args:
        names: of the form's parts.
        known: who has pressed.
        shown: screens as gradio's updates of the outputs in ``watching``; with the form that was sent, if there is one.
    """

    def form(values: Sequence[Any]) -> CreateForm:
        return CreateForm.read(dict(zip(names, values, strict=True)))

    @without_thread
    def go_on(request: gr.Request, session: object) -> Iterator[tuple]:
        yield from shown(actions.resume(studio, known(request, session), say=say))

    @without_thread
    def more(request: gr.Request, session: object) -> Iterator[tuple]:
        yield from shown(actions.add_steps(studio, known(request, session), say=say))

    @without_thread
    def fork(request: gr.Request, session: object, *values: Any) -> Iterator[tuple]:
        sent = form(values)
        yield from shown(actions.fork(studio, sent, known(request, session), say=say), sent)

    @guard_handler(say, show_warning())
    def apply(request: gr.Request, session: object, *values: Any) -> None:
        said = actions.update_picture(studio, form(values), known(request, session), say=say)
        gr.Info(said, duration=5)

    def act(request: gr.Request, session: object, order: object) -> str:
        return queue_view.act_on_queue(studio, order, known(request, session), say=say)

    asked = [parts["session"], *(parts[name] for name in names)]
    parts["go_on"].click(go_on, parts["session"], **watching)
    parts["more"].click(more, parts["session"], **watching)
    # Brushed regions are included; the brush for editing an area belongs to Generate only.
    drawn = {"js": _sending(names, brushed="''")}
    parts["fork"].click(fork, asked, **watching, **drawn)
    parts["apply"].click(apply, asked, None, concurrency_limit=None, **QUIET, **drawn)
    parts["queue_act"].click(
        act,
        [parts["session"], parts["queue_order"]],
        parts["queue"],
        queue=False,
        **QUIET,
        js="(session) => [session, document.getElementById('pg-queue-act').dataset.order]",
    )
