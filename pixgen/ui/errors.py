"""What a person is told when something goes wrong; anything that is a bug is logged under a mark.

This is the page's one boundary for errors: handlers are ``guard_handler``, and what streams passes ``guard_stream``.
"""

import inspect
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, TypeVar

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.ui.i18n import Translator

T = TypeVar("T")
log = logging.getLogger(__name__)


def error_text(error: Exception, say: Translator) -> str:
    """What to say about an error; call it while the error is handled."""
    if isinstance(error, PixgenError):
        return say(error.message)
    mark = secrets.token_hex(3)
    log.exception("the page failed, noted as %s", mark)
    return say(
        "Something went wrong on our side (logged as {id}). Your prompt is still here: try again.",
        id=mark,
    )


def guard_handler(say: Translator, answer: Callable[[str], Any]) -> Callable[[Callable], Callable]:
    """Decorate a handler, or a generator of updates: where it fails, its answer, or its last update, is what
    ``answer`` makes of the sentence that says why."""

    def wrap(handler: Callable) -> Callable:
        if inspect.isgeneratorfunction(handler):

            @wraps(handler)
            def stream(*given: Any, **named: Any) -> Iterator[Any]:
                yield from guard_stream(handler(*given, **named), say, answer)

            return stream

        @wraps(handler)
        def handle(*given: Any, **named: Any) -> Any:
            try:
                return handler(*given, **named)
            except Exception as error:
                return answer(error_text(error, say))

        return handle

    return wrap


def guard_stream(items: Iterable[T], say: Translator, answer: Callable[[str], T]) -> Iterator[T]:
    """The same items; an error that ends them becomes the last one, which ``answer`` makes of its sentence."""
    try:
        yield from items
    except Exception as error:
        yield answer(error_text(error, say))


def show_warning(answer: Any = None) -> Callable[[str], Any]:
    """An ``answer`` for ``guard_handler``: the sentence is shown in passing, and what is there stays, or becomes
    what is given."""

    def warn(message: str) -> Any:
        gr.Warning(message, duration=8)
        return gr.skip() if answer is None else answer

    return warn
