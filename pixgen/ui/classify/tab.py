"""The Classify tab: pictures and labels on one side, the answers on the other."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from pixgen.models import available_clips
from pixgen.studio.library.classifier import ClassifierService
from pixgen.ui.classify import actions
from pixgen.ui.classify import view as classify_view
from pixgen.ui.classify.actions import CLASSIFY_FIELDS, ClassifyForm, View
from pixgen.ui.components import PICTURE_TYPES, QUIET, Parts, fold, servable_bytes
from pixgen.ui.create.panels.settings import clip_choice
from pixgen.ui.errors import guard_handler, guard_stream, show_warning
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.events import event_value, read_form_number
from pixgen.ui.session import Cancellations
from pixgen.vision.zeroshot.labels import DEFAULT_TEMPLATES, available_templates, format_labels, parse_labels

_SHOWN = ("status", "answers", "go", "stop", "csv", "json", "asked")
# A click on an example, a label or a close button becomes an event with its data-* fields.
_CLICKS = """element.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-example], [data-label], [data-paint], [data-close]');
    if (!pressed) return;
    const { example, picture, label, paint } = pressed.dataset;
    if (example !== undefined) trigger('select', { example: Number(example) });
    else if (label !== undefined) trigger('like', { picture: Number(picture), label });
    else if (paint !== undefined) trigger('submit', { paint });
    else trigger('clear');
});"""


def classify_tab(
    service: ClassifierService, say: Translator, page: gr.Blocks
) -> tuple[Parts, dict[str, Any]]:
    """Build the tab inside a ``gr.Blocks`` and connect it to the studio.

    Its parts, by name, and the arguments of an event that classifies as its button does.
    """
    with gr.Row(elem_classes="pg-two"):
        with gr.Column(elem_classes="pg-two-ask"):
            parts = _ask(service, say)
        with gr.Column(elem_classes="pg-two-show"):
            parts |= _show(say)
        with gr.Column(elem_classes="pg-two-more"):
            parts |= _settings(service, say)
    _wire_settings(service, say, page, parts)
    return parts, _wire_answers(service, say, parts)


def _ask(service: ClassifierService, say: Translator) -> Parts:
    parts: Parts = {
        "pictures": gr.File(
            label=say("Pictures"),
            file_types=[*PICTURE_TYPES, ".zip"],
            file_count="multiple",
            height=150,
            elem_id="pg-pictures",
            elem_classes="pg-uploads",
        ),
        "labels": gr.Textbox(
            "fox, cat, dog, bird, fish, apple, car, house, tree, sailboat",
            label=say("Labels"),
            placeholder="cat, dog, red car",
            lines=3,
            max_lines=8,
            elem_id="pg-labels",
        ),
        "label_set": gr.Dropdown(
            _sets(service, say),
            value="",
            label=say("Label set"),
            elem_id="pg-label-set",
        ),
    }
    with gr.Row(elem_classes="pg-go"):
        parts["go"] = gr.Button(
            say("Classify"), variant="primary", elem_id="pg-classify", scale=3, min_width=120
        )
        parts["stop"] = gr.Button(
            say("Stop"), interactive=False, elem_id="pg-classify-stop", scale=1, min_width=80
        )
    return parts


def _show(say: Translator) -> Parts:
    parts: Parts = {
        "status": gr.HTML(classify_view.progress_html("idle", ""), elem_id="pg-looking"),
    }
    with gr.Row(
        elem_classes="pg-actions"
    ):  # above the answers: below a hundred of them, it would be overlooked
        for name, text in (("csv", say("Download CSV")), ("json", say("Download JSON"))):
            parts[name] = gr.DownloadButton(text, visible=False, size="sm", min_width=0, elem_id=f"pg-{name}")
    parts["answers"] = gr.HTML(
        classify_view.empty_html(say), js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-answers"
    )
    parts["heat"] = gr.HTML("", js_on_load=_CLICKS, apply_default_css=False, elem_id="pg-heat")
    parts["asked"] = gr.State(None)  # the form behind the answers that are shown
    return parts


def _settings(service: ClassifierService, say: Translator) -> Parts:
    public = service.studio.policy.public
    templates = [
        (say("automatic"), ""),
        *((title, name) for name, title in available_templates().items()),
    ]
    with fold(say("More settings")):
        parts: Parts = {
            "mode": gr.Radio(
                [(say("Single label"), "one"), (say("Multiple labels"), "several")],
                value="one",
                label=say("Result"),
                info=say(
                    "Single label: the probabilities add up to 100%. Multiple labels: each label is scored separately."
                ),
            ),
            "none": gr.Dropdown(
                [
                    (title, name)
                    for name, title in (
                        ("never", say("never")),
                        ("else", say("when something else fits better")),
                        ("below", say("when the best cosine is below the threshold")),
                        ("both", say("in either case")),
                    )
                ],
                value="else",
                label=say("None of these"),
                elem_id="pg-none",
            ),
            "none_below": gr.Slider(
                0,
                1,
                0.2,
                step=0.01,
                label=say("Threshold"),
                info=say(
                    "A cosine similarity. Typical values differ between models: check a few results first."
                ),
                buttons=[],
                visible=False,
            ),
            "templates": gr.Dropdown(
                [*templates, (say("custom"), "own")],
                value="",
                label=say("Prompt templates"),
                elem_id="pg-templates",
            ),
            "own_templates": gr.Textbox(
                label=say("Custom templates"),
                placeholder="a photo of a {}",
                lines=2,
                visible=False,
            ),
            "model": clip_choice(
                service.studio.policy, say, value=available_clips()[0], elem_id="pg-classify-clip"
            ),
            "top": gr.Slider(1, 20, 5, step=1, label=say("Labels per picture"), buttons=[]),
        }
        with gr.Row(elem_classes="pg-pair", visible=not public):
            parts["set_name"] = gr.Textbox(
                label=say("Save labels as"),
                placeholder=say("my-birds"),
                max_lines=1,
                elem_id="pg-set-name",
            )
            parts["keep"] = gr.Button(say("Save"), elem_id="pg-set-keep")
    return parts


def _sets(service: ClassifierService, say: Translator) -> list[tuple[str, str]]:
    return [
        (say("none: the labels above"), ""),
        *((title, name) for name, title in service.sets().items()),
    ]


def _wire_settings(service: ClassifierService, say: Translator, page: gr.Blocks, parts: Parts) -> None:

    @guard_handler(say, show_warning())
    def keep(name: str, labels: str, chosen: str, templates: str) -> Any:
        fitting = service.load(chosen).templates if chosen else DEFAULT_TEMPLATES
        known = templates if templates in available_templates() else fitting
        made = service.save(name, parse_labels(labels), templates=known)
        gr.Info(
            say.ngettext(
                "Saved as “{name}” with {count} label.",
                "Saved as “{name}” with {count} labels.",
                len(made.labels),
                name=made.name,
            )
        )
        return gr.update(choices=_sets(service, say), value=made.name)

    @guard_handler(say, show_warning())
    def fill_in(chosen: str) -> Any:
        return format_labels(service.load(chosen).labels) if chosen else gr.skip()

    inputs = [parts[name] for name in ("set_name", "labels", "label_set", "templates")]
    gr.on([parts["keep"].click, parts["set_name"].submit], keep, inputs, parts["label_set"], **QUIET)
    # Sets that were saved since the page was built.
    page.load(
        lambda: gr.update(choices=_sets(service, say)),
        None,
        parts["label_set"],
        queue=False,
        **QUIET,
    )
    parts["label_set"].input(fill_in, parts["label_set"], parts["labels"], **QUIET)
    for choice, field, shown_for in (
        ("none", "none_below", ("below", "both")),
        ("templates", "own_templates", ("own",)),
    ):
        parts[choice].change(
            lambda chosen, shown_for=shown_for: gr.update(visible=chosen in shown_for),
            parts[choice],
            parts[field],
            queue=False,
            **QUIET,
        )


def _wire_answers(service: ClassifierService, say: Translator, parts: Parts) -> dict[str, Any]:
    """The event arguments that start a classification."""
    stops = Cancellations()
    outputs = [parts[name] for name in _SHOWN]

    def run(request: gr.Request, *values: Any) -> Iterator[tuple]:
        form = ClassifyForm.read(dict(zip(CLASSIFY_FIELDS, values, strict=True)))
        with stops.cancellable(request.session_hash) as stopping:
            views = actions.classify(service, form, stopping, say=say)
            for view in guard_stream(views, say, partial(actions.error_view, say)):
                yield _updates(view, parts, form)

    def stop(request: gr.Request) -> None:
        stops.stop(request.session_hash)

    @guard_handler(say, show_warning())
    def example(chosen: gr.EventData) -> list[str]:
        names = classify_view.example_names()
        number = read_form_number(event_value(chosen, "example"), int, name="example")
        name = names[number % len(names)]
        data = (classify_view.EXAMPLES / name).read_bytes()
        return [servable_bytes(data, parts["pictures"], name=name)]

    @guard_handler(say, show_warning(""))
    def explain(asked: Any, pressed: gr.EventData) -> str:
        return actions.explain(
            service,
            asked,
            read_form_number(event_value(pressed, "picture"), int, name="picture"),
            str(event_value(pressed, "label")),
            say=say,
        )

    running = {"concurrency_limit": None, **QUIET}  # the studio's turns keep the order
    running |= {"inputs": [parts[name] for name in CLASSIFY_FIELDS], "outputs": outputs}
    parts["go"].click(run, **running)
    parts["answers"].select(example, None, parts["pictures"], **QUIET).then(run, **running)
    focus = "() => document.querySelector('#pg-heat [data-close]')?.focus()"
    parts["answers"].like(explain, parts["asked"], parts["heat"], **QUIET).then(None, js=focus)
    parts["heat"].clear(None, None, parts["heat"], js="() => ''")
    parts["stop"].click(stop, None, None, queue=False, **QUIET)
    return {"fn": run, **running}


def _updates(view: View, parts: Parts, form: ClassifyForm) -> tuple:
    """A view as gradio's updates of ``_SHOWN``."""
    changes: dict[str, Any] = {
        name: value for name in ("status", "answers") if (value := getattr(view, name)) is not None
    }
    if view.busy is not None:
        changes["go"] = gr.update(interactive=not view.busy)
        changes["stop"] = gr.update(interactive=view.busy)
    if view.tables is not None:
        for name, data in zip(("csv", "json"), view.tables, strict=True):
            copy = servable_bytes(data, parts[name], name=f"answers.{name}")
            changes[name] = gr.update(value=copy, visible=True)
        changes["asked"] = form
    return tuple(changes.get(name, gr.skip()) for name in _SHOWN)
