"""The sketches that a start was picked from, as thumbnails; one click takes another."""

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from pixgen.ui.canvas import jpeg
from pixgen.ui.i18n import Translator


def of_pictures(say: Translator, pictures: Sequence[np.ndarray], *, picked: int) -> str:
    """A row of pictures ``(H, W, 3)`` uint8 with the picked one marked; nothing for fewer than two.

    page.js presses ``#pg-take`` when one is clicked, which asks it for the number.
    """
    if len(pictures) < 2:
        return ""
    items = "".join(
        _item(say, picture, index=index, picked=index == picked) for index, picture in enumerate(pictures)
    )
    return (
        f'<section class="pg-sketches" aria-label="{escape(say("Other sketches to start from"))}">'
        f"<h3>{escape(say('Other sketches to start from'))}</h3><ul>{items}</ul></section>"
    )


def _item(say: Translator, picture: np.ndarray, *, index: int, picked: bool) -> str:
    source = base64.b64encode(jpeg(picture)).decode()
    said = (
        say("The sketch that was taken")
        if picked
        else say("Start from sketch {number} instead", number=index + 1)
    )
    image = f'<img src="data:image/jpeg;base64,{source}" alt="{escape(said)}">'
    state = 'aria-pressed="true" disabled' if picked else 'aria-pressed="false"'
    return (
        f'<li><button type="button" data-pick="{index}" title="{escape(said)}" {state}>{image}</button></li>'
    )
