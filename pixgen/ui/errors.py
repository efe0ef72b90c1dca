"""Error messages for people; unexpected errors are logged with an id.

This is the page's one boundary for errors: handlers are decorated with ``guard_handler``, what streams passes
``guard_stream``, and what only raises stands in ``error_toast``.
"""

import inspect
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

import gradio as gr

from pixgen.errors import PixgenError
from pixgen.ui.i18n import Translator

T = TypeVar("T")
log = logging.getLogger(__name__)


def error_text(error: Exception, say: Translator) -> str:
    """The message about an error; call it while the error is handled."""
    if isinstance(error, PixgenError):
        return say(error.message)
    mark = secrets.token_hex(3)
    log.exception("the page failed, noted as %s", mark)
    return say(
        "Something went wrong on our side (logged as {id}). Your prompt is still here: try again.",
        id=mark,
    )


def toast_text(message: str) -> str:
    """A message for a toast, which gradio shows as HTML: words in it that a link or file brought stay words."""
    return message.replace("<", "&lt;")


@contextmanager
def error_toast(say: Translator, *, title: str = "Error") -> Iterator[None]:
    """Raise gr.Error with the message of an error inside, which the page shows as a toast under a title."""
    try:
        yield
    except gr.Error:
        raise
    except Exception as error:
        raise gr.Error(error_text(error, say), title=title, print_exception=False) from error


def guard_handler(say: Translator, answer: Callable[[str], Any]) -> Callable[[Callable], Callable]:
    """Decorate a handler or a generator of updates: if it fails, its result or last update is ``answer`` of
    the error message."""

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
    """The same items; an error becomes the last one, ``answer`` of its message."""
    try:
        yield from items
    except Exception as error:
        yield answer(error_text(error, say))


def show_warning(answer: object = None) -> Callable[[str], Any]:
    """An ``answer`` for ``guard_handler``: shows the message as a warning and leaves the page unchanged, or
    sets the given values."""

    def warn(message: str) -> Any:
        gr.Warning(toast_text(message), duration=8)
        return gr.skip() if answer is None else answer

    return warn
