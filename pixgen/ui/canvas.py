"""The picture on the page, as HTML: a mat of fixed size, and on it the newest stage.

Gradio patches the page's elements instead of replacing them, so one ``<img>`` lives through a run and
its old picture stays until the next is decoded: nothing flickers, and nothing moves. A preview
is a JPEG in a ``data:`` URI: measured, this is as fast as ``gr.Image`` and leaves no files behind.
"""

import base64
import io
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from pixgen.recipe import Recipe
from pixgen.ui.i18n import Translator
from pixgen.ui.invitation import invitation

_QUALITY = 88  # of previews; below 80, the blocks show on flat colours


def empty(say: Translator) -> str:
    """The mat before the first picture."""
    return _mat(
        f'<div class="pg-invitation"><img src="{invitation()}" alt="" width="20" height="20">'
        f"<h2>{escape(say('Say what to paint, and watch it grow.'))}</h2>"
        f"<p>{escape(say('Every stage is shown here, from noise to picture.'))}</p></div>",
        say,
    )


def of_frame(say: Translator, recipe: Recipe, frame: Any) -> str:
    """A stage of a run."""
    step = max(0, frame.step)  # sketches count up from below it
    alt = say("{prompt}, step {step} of {steps}", prompt=recipe.title, step=step, steps=frame.steps)
    return of_picture(
        say, jpeg(frame.picture), kind="jpeg", alt=alt, size=frame.picture.shape[1::-1]
    )


def of_picture(say: Translator, data: bytes, *, kind: str, alt: str, size: tuple[int, int]) -> str:
    """A picture by its encoded bytes; ``kind`` is ``jpeg`` or ``png``, ``size`` is (width, height)."""
    width, height = size
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return _mat(
        f'<div class="pg-frame"><img src="{source}" alt="{escape(alt)}" width="{width}" height="{height}" '
        f'style="--ratio: {width / height:.4f}"></div>',
        say,
    )


def jpeg(picture: np.ndarray) -> bytes:
    """``(H, W, 3)`` uint8 as a JPEG of a preview's quality."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()


def png(picture: np.ndarray) -> bytes:
    """``(H, W, 3)`` uint8 as a PNG, for a picture that could not be saved."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def _mat(content: str, say: Translator) -> str:
    return f'<figure class="pg-mat" aria-label="{escape(say("The picture"))}">{content}</figure>'
