"""The side bar beside every tab: the newest runs and a search among them; a click opens a run in the gallery.

side.js opens and closes it, and triggers its updates.
"""

import json
from html import escape
from typing import Any

import gradio as gr

from pixgen.ui.components import Parts, on_answer, on_pause
from pixgen.ui.gallery import view
from pixgen.ui.gallery.events import QUIET, TO_TOP, GalleryHandlers
from pixgen.ui.gallery.presenter import FORM, OPENED, SHELF, GalleryPresenter
from pixgen.ui.i18n import Translator

_ASK, _LOOK = "pg-ask-side", "pg-ask-side-looks"
_SHOWN = ("side_said", "side_list")
_CLICKS = """element.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-run], [data-looks], [data-all]');
    if (!pressed) return;
    const { run, all } = pressed.dataset;
    if (run !== undefined) trigger('select', { run });
    else trigger(all !== undefined ? 'expand' : 'submit');
});"""


def side_bar(say: Translator) -> Parts:
    """Build the side bar inside a ``gr.Blocks``; its parts, by name."""
    with gr.Column(elem_id="pg-side"):
        gr.HTML(
            f'<header class="pg-side-head"><h2>{escape(say("Your pictures"))}</h2>'
            f'<button type="button" id="pg-side-close" title="{escape(say("Close"))}" '
            f'aria-label="{escape(say("Close"))}">×</button></header>'
        )
        parts: Parts = {
            "side_query": gr.Textbox(
                label=say("Search your pictures"),
                placeholder=say("Search your pictures"),
                show_label=False,
                container=False,
                max_lines=1,
                elem_id="pg-side-query",
            ),
            "side_said": gr.HTML("", apply_default_css=False, elem_id="pg-side-said"),
            "side_list": gr.HTML(
                "",
                js_on_load=_CLICKS,
                apply_default_css=False,
                elem_id="pg-side-list",
                elem_classes="pg-side-runs",
            ),
            "side_alike": gr.HTML(
                "",
                js_on_load=_CLICKS,
                apply_default_css=False,
                elem_id="pg-side-alike",
                elem_classes="pg-side-runs",
            ),
        }
    # Pressed by lightbox.js, on any tab, which takes the picture out of the hidden answer.
    parts["enlarge"] = gr.Button(visible="hidden", elem_id="pg-enlarge-run")
    # Pressed by selection.js for the runs that are selected in the gallery.
    for name in ("delete_many", "zip_many", "sheet_many", "compare_many"):
        parts[name] = gr.Button(visible="hidden", elem_id=f"pg-{name.replace('_', '-')}")
    parts["sent"] = gr.Textbox("", visible="hidden", label=say("The picture, large"))
    parts["large"] = gr.HTML("", visible="hidden", elem_id="pg-large-run")
    return parts


def wire_side(handlers: GalleryHandlers, tabs: gr.Tabs) -> None:
    """Connect the side bar, and let its pictures open on the Gallery tab."""
    parts = handlers.parts
    query, pictures, alike = (parts[name] for name in ("side_query", "side_list", "side_alike"))
    ask = on_pause([query.change], _ASK)
    told = handlers.plain(_SHOWN, GalleryPresenter.side)
    on_answer(handlers.on(ask.click, told, [query], _SHOWN, trigger_mode="multiple"), _ASK)
    # Searching by content takes longer, the first time much longer: it must not delay the list above, and
    # side.js hides its result if the query has changed meanwhile.
    looked_for = [query.submit, pictures.submit]
    looking = json.dumps(view.alike(handlers.say, "", handlers.say("Searching the pictures …")))
    gr.on(
        looked_for,
        None,
        query,
        alike,
        js=f"(text) => window.pixgenSide.looking(text, {looking})",
        **QUIET,
    )
    ask = on_pause(looked_for, _LOOK)
    seen = handlers.plain(("side_alike",), GalleryPresenter.alike)
    on_answer(handlers.on(ask.click, seen, [query], ("side_alike",), trigger_mode="multiple"), _LOOK)

    def beyond(names: tuple[str, ...], handler: Any) -> dict[str, Any]:
        """The arguments of an event that goes to the Gallery tab."""

        def there(request: gr.Request, event: gr.EventData, *values: Any) -> tuple:
            return gr.update(selected="gallery"), *handler(request, event, *values)

        return {"fn": there, "outputs": [tabs, *(parts[name] for name in names)], **QUIET}

    opened = handlers.pressed(OPENED, lambda presenter, sent: presenter.opened(sent.get("run")))
    gr.on([pictures.select, alike.select], inputs=handlers.session, **beyond(OPENED, opened)).then(
        None, js=TO_TOP
    )
    names = tuple(dict.fromkeys((*FORM, *SHELF)))
    everything = handlers.pressed(names, lambda presenter, _, text: presenter.all_with(text))
    pictures.expand(inputs=[handlers.session, query], **beyond(names, everything))
