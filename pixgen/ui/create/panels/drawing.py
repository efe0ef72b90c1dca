"""The pad for what is drawn on the page: its HTML, and the controls of a start from a picture."""

from collections.abc import Mapping
from html import escape

import gradio as gr

from pixgen.ui.form import Field, slider
from pixgen.ui.i18n import Translator

DRAWN, LAST = "drawn", "last"  # starts that the page alone has
OF_PICTURES = ("picture", DRAWN, LAST)  # starts that have the settings
SETTINGS = ("start_strength", "start_fit", "start_extend")  # of a start from a picture
_BRUSHES = (("small", 6), ("medium", 12), ("large", 20))


def pad_fields(say: Translator) -> dict[str, Field]:
    """The settings that a browser keeps, by name."""
    return {
        "start_strength": Field(0, 0, 1, 0.05),
        "start_fit": Field(
            "cover",
            choices=tuple(
                value
                for _, value in (
                    (say("fill it, and cut what sticks out"), "cover"),
                    (say("whole, with margins"), "contain"),
                    (say("stretched"), "stretch"),
                )
            ),
        ),
        "start_extend": Field(
            "no",
            choices=tuple(
                value
                for _, value in (
                    (say("no"), "no"),
                    (say("to the left"), "left"),
                    (say("to the right"), "right"),
                    (say("at the top"), "top"),
                    (say("at the bottom"), "bottom"),
                )
            ),
        ),
        "grow": Field(
            "never",
            choices=tuple(
                value
                for _, value in (
                    (say("no: the whole size at once"), "never"),
                    (say("half the size, doubled near the end"), "0.9"),
                    (say("a quarter, then half, then whole"), "0.5,0.85"),
                )
            ),
        ),
    }


def start_controls(fields: Mapping[str, Field], say: Translator) -> dict[str, gr.components.Component]:
    """The settings of a start from a picture; not to be seen at first."""
    made = {
        "start_fit": gr.Dropdown(
            [
                (say("fill it, and cut what sticks out"), "cover"),
                (say("whole, with margins"), "contain"),
                (say("stretched"), "stretch"),
            ],
            value="cover",
            label=say("How it fits the size"),
            visible=False,
        ),
        "start_strength": slider(
            fields["start_strength"],
            say("How far from it"),
            info=say("0: from the picture itself. 1: from chance alone."),
        ),
        "start_extend": gr.Dropdown(
            [
                (say("no"), "no"),
                (say("to the left"), "left"),
                (say("to the right"), "right"),
                (say("at the top"), "top"),
                (say("at the bottom"), "bottom"),
            ],
            value="no",
            label=say("Go on beyond it"),
            info=say("Choose a size with room on that side."),
            visible=False,
        ),
    }
    made["start_strength"].visible = False
    return made


def grow_control(say: Translator) -> gr.Dropdown:
    """Whether the canvas grows."""
    return gr.Dropdown(
        [
            (say("no: the whole size at once"), "never"),
            (say("half the size, doubled near the end"), "0.9"),
            (say("a quarter, then half, then whole"), "0.5,0.85"),
        ],
        value="never",
        label=say("Small first"),
        info=say("A large picture in less than half the time."),
    )


def pad_html(say: Translator) -> str:
    """The pad, put away; pad.js opens it and fills in colours or prompts."""
    titles = {
        "small": say("A small brush"),
        "medium": say("A medium brush"),
        "large": say("A large brush"),
    }
    brushes = "".join(
        f'<button type="button" data-brush="{name}" title="{escape(titles[name])}" '
        f'aria-label="{escape(titles[name])}"><i style="width:{size}px;height:{size}px"></i></button>'
        for name, size in _BRUSHES
    )
    acts = "".join(
        f'<button type="button" data-do="{name}">{escape(label)}</button>'
        for name, label in (
            ("erase", say("Eraser")),
            ("undo", say("Undo")),
            ("clear", say("Clear")),
            ("done", say.pgettext("pad", "Done")),
        )
    )
    regions = say(
        "Choose a prompt and brush over where it applies, then press Generate. Where nothing is brushed for a "
        "prompt, it applies everywhere."
    )
    return (
        f'<section id="pg-pad" hidden data-draw="{escape(say("Draw what the picture starts from, then press Generate."))}" '
        f'data-regions="{escape(regions)}" '
        f'data-empty="{escape(say("Write what to paint first; several things are divided by |."))}" '
        f'data-drawing-kept="{escape(say("A drawing is kept here. It is used where the start is “what you draw here”."))}" '
        f'data-regions-kept="{escape(say("Regions are kept here, and the next picture has them."))}">'
        f'<figure class="pg-mat"><div class="pg-pad-mat"><canvas role="img" '
        f'aria-label="{escape(say("The drawing"))}"></canvas></div></figure><p></p>'
        f'<div class="pg-pad-inks" role="group" aria-label="{escape(say("Colours"))}"></div>'
        f'<div class="pg-pad-tools" role="group" aria-label="{escape(say("Brushes"))}">{brushes}{acts}</div>'
        "</section>"
    )
