"""The picture on the page as HTML: the newest frame in an area of fixed size, and thumbnails of sketches.

Gradio patches the page's elements instead of replacing them, so one ``<img>`` lives through a run and
its old picture stays until the next is decoded: nothing flickers, and nothing moves. A preview
is a JPEG in a ``data:`` URI: measured, this is as fast as ``gr.Image`` and leaves no files behind.
"""

import base64
import io
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pixgen.paths import ASSETS
from pixgen.recipe.recipe import Recipe
from pixgen.studio import FinalFrame
from pixgen.ui.i18n import Translator

if TYPE_CHECKING:
    from pixgen.synthesis import Frame

WALL_SEED = 7  # of every picture of the wall
_QUALITY = 88  # of previews; below 80, the blocks show on flat colours


@cache
def wall() -> tuple[tuple[str, str], ...]:
    """The example pictures shown before the first one, as (prompt, ``data:`` URI of a WebP of 144×144)."""
    files = sorted((ASSETS / "wall").glob("*.webp"))
    return tuple(
        (
            file.stem.replace("-", " "),
            f"data:image/webp;base64,{base64.b64encode(file.read_bytes()).decode()}",
        )
        for file in files
    )


def empty_html(say: Translator) -> str:
    """The area before the first picture; page.js paints an example picture again when it is clicked."""
    pictures = "".join(
        f'<li><button type="button" data-wall="{escape(prompt)}" title="{escape(prompt)}" '
        f'aria-label="{escape(say("Paint “{prompt}”", prompt=prompt))}">'
        f'<img src="{source}" alt="" width="144" height="144"></button></li>'
        for prompt, source in wall()
    )
    return _mat(
        f'<div class="pg-invitation"><h2>{escape(say("Describe a picture and watch it grow."))}</h2>'
        f"<p>{escape(say('Or click one of these to paint it again.'))}</p>"
        f'<ul class="pg-wall">{pictures}</ul></div>',
        say,
    )


def frame_html(say: Translator, recipe: Recipe, frame: "Frame | FinalFrame") -> str:
    """A frame of a run."""
    step = max(0, frame.step)  # sketches count up from below it
    alt = say("{prompt}, step {step} of {steps}", prompt=recipe.title, step=step, steps=frame.steps)
    size = frame.picture.shape[1::-1]
    return picture_html(say, jpeg(frame.picture), kind="jpeg", alt=alt, size=size, final=False)


def picture_html(
    say: Translator, data: bytes, *, kind: str, alt: str, size: tuple[int, int], final: bool = True
) -> str:
    """A picture by its encoded bytes; ``kind`` is ``jpeg`` or ``png``, ``size`` is (width, height).

    Args:
        final: not a preview of a running picture: lightbox.js opens it large.
    """
    width, height = size
    opens = ' data-final tabindex="0" role="button" aria-haspopup="dialog"' if final else ""
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return _mat(
        f'<div class="pg-frame"><img src="{source}" alt="{escape(alt)}" width="{width}" height="{height}"{opens} '
        f'style="--ratio: {width / height:.4f}"></div>',
        say,
    )


def video_html(say: Translator, data: bytes, *, alt: str, size: tuple[int, int]) -> str:
    """A video by the bytes of its MP4, which plays by itself and again and again; ``size`` is (width, height)."""
    width, height = size
    source = f"data:video/mp4;base64,{base64.b64encode(data).decode()}"
    return _mat(
        f'<div class="pg-frame"><video data-final src="{source}" aria-label="{escape(alt)}" width="{width}" height="{height}" '
        f'style="--ratio: {width / height:.4f}" autoplay loop muted playsinline controls></video></div>',
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


def sketches_html(say: Translator, pictures: Sequence[np.ndarray], *, picked: int) -> str:
    """A row of pictures ``(H, W, 3)`` uint8 with the picked one marked; nothing for fewer than two.

    page.js presses ``#pg-take`` when one is clicked, which asks it for the number.
    """
    if len(pictures) < 2:
        return ""
    items = "".join(
        _sketch(say, picture, index=index, picked=index == picked) for index, picture in enumerate(pictures)
    )
    return (
        f'<section class="pg-sketches" aria-label="{escape(say("Other sketches to start from"))}">'
        f"<h2>{escape(say('Other sketches to start from'))}</h2><ul>{items}</ul></section>"
    )


def _sketch(say: Translator, picture: np.ndarray, *, index: int, picked: bool) -> str:
    source = base64.b64encode(jpeg(picture)).decode()
    said = say("The sketch in use") if picked else say("Start from sketch {number} instead", number=index + 1)
    image = f'<img src="data:image/jpeg;base64,{source}" alt="{escape(said)}">'
    state = 'aria-pressed="true" disabled' if picked else 'aria-pressed="false"'
    return (
        f'<li><button type="button" data-pick="{index}" title="{escape(said)}" {state}>{image}</button></li>'
    )
