"""The sketches that a start was picked from, as thumbnails; one click takes another."""

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from pixgen.ui.canvas import jpeg
from pixgen.ui.texts import Words


def of_pictures(words: Words, pictures: Sequence[np.ndarray], *, picked: int) -> str:
    """A row of pictures ``(H, W, 3)`` uint8 with the picked one marked; nothing for fewer than two.

    page.js presses ``#pg-take`` when one is clicked, which asks it for the number.
    """
    if len(pictures) < 2:
        return ""
    items = "".join(
        _item(words, picture, index=index, picked=index == picked)
        for index, picture in enumerate(pictures)
    )
    return (
        f'<section class="pg-sketches" aria-label="{escape(words.sketches)}">'
        f"<h3>{escape(words.sketches)}</h3><ul>{items}</ul></section>"
    )


def _item(words: Words, picture: np.ndarray, *, index: int, picked: bool) -> str:
    source = base64.b64encode(jpeg(picture)).decode()
    said = words.sketch_taken if picked else words.sketch_take.format(number=index + 1)
    image = f'<img src="data:image/jpeg;base64,{source}" alt="{escape(said)}">'
    state = 'aria-pressed="true" disabled' if picked else 'aria-pressed="false"'
    return (
        f'<li><button type="button" data-pick="{index}" title="{escape(said)}" {state}>{image}'
        "</button></li>"
    )
