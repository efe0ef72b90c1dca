"""The pad for what is drawn on the page: its HTML, and the controls of a start from a picture."""

from collections.abc import Mapping
from html import escape

import gradio as gr

from pixgen.ui.fields import Field, slider
from pixgen.ui.texts import Words

DRAWN, LAST = "drawn", "last"  # starts that the page alone has
OF_PICTURES = ("picture", DRAWN, LAST)  # starts that have the settings
SETTINGS = ("start_strength", "start_fit", "start_extend")  # of a start from a picture
_BRUSHES = (("small", 6), ("medium", 12), ("large", 20))


def pad_fields(words: Words) -> dict[str, Field]:
    """The settings that a browser keeps, by name."""
    own = words.pad
    return {
        "start_strength": Field(0, 0, 1, 0.05),
        "start_fit": Field("cover", choices=tuple(value for _, value in own.fits)),
        "start_extend": Field("no", choices=tuple(value for _, value in own.extends)),
        "grow": Field("never", choices=tuple(value for _, value in own.growths)),
    }


def start_controls(fields: Mapping[str, Field], words: Words) -> dict[str, gr.components.Component]:
    """The settings of a start from a picture; not to be seen at first."""
    own = words.pad
    made = {
        "start_fit": gr.Dropdown(list(own.fits), value="cover", label=own.fit, visible=False),
        "start_strength": slider(fields["start_strength"], own.strength, info=own.strength_help),
        "start_extend": gr.Dropdown(
            list(own.extends), value="no", label=own.extend, info=own.extend_help, visible=False
        ),
    }
    made["start_strength"].visible = False
    return made


def grow_control(words: Words) -> gr.Dropdown:
    """Whether the canvas grows."""
    own = words.pad
    return gr.Dropdown(list(own.growths), value="never", label=own.grow, info=own.grow_help)


def pad_html(words: Words) -> str:
    """The pad, put away; pad.js opens it and fills in colours or prompts."""
    own = words.pad
    brushes = "".join(
        f'<button type="button" data-brush="{name}" title="{escape(getattr(own, name))}" '
        f'aria-label="{escape(getattr(own, name))}"><i style="width:{size}px;height:{size}px"></i></button>'
        for name, size in _BRUSHES
    )
    acts = "".join(
        f'<button type="button" data-do="{name}">{escape(label)}</button>'
        for name, label in (
            ("erase", own.eraser), ("undo", own.undo), ("clear", own.clear), ("done", own.done),
        )
    )  # fmt: skip
    return (
        f'<section id="pg-pad" hidden data-draw="{escape(own.drawing_help)}" '
        f'data-regions="{escape(own.regions_help)}" data-empty="{escape(own.regions_empty)}" '
        f'data-drawing-kept="{escape(own.drawing_kept)}" data-regions-kept="{escape(own.regions_kept)}">'
        f'<figure class="pg-mat"><div class="pg-pad-mat"><canvas role="img" '
        f'aria-label="{escape(own.canvas)}"></canvas></div></figure><p></p>'
        f'<div class="pg-pad-inks" role="group" aria-label="{escape(own.colours)}"></div>'
        f'<div class="pg-pad-tools" role="group" aria-label="{escape(own.sizes)}">{brushes}{acts}</div>'
        "</section>"
    )
