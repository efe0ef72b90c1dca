"""Logs for programs: one JSON object a line, with the run that a record is about, and without prompts in public.

``configure_logs`` sets the form of a process's log. Whoever works on a run enters ``log_run``: every record of that
context then carries its id.
"""

import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any

FORMATS = ("text", "json")

_run: ContextVar[str] = ContextVar("run", default="")
_STANDARD = {
    *logging.LogRecord("", 0, "", 0, "", None, None).__dict__,
    "message",
    "asctime",
    "taskName",
    "run",
}


@contextmanager
def log_run(run_id: str) -> Iterator[None]:
    """Give every record that is logged inside, on this thread, the id of a run."""
    token = _run.set(run_id)
    try:
        yield
    finally:
        _run.reset(token)


class TextFormatter(logging.Formatter):
    """Lines for people: time, level, logger, the run's id if there is one, and the message.

    Args:
        private: leave out the messages of exceptions, which may quote what a person typed.
    """

    def __init__(self, *, private: bool = False) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._private = private

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        return f"{line} [run {run}]" if (run := _run_of(record)) and run not in line else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return format_error(ei[1], private=self._private)


class JsonFormatter(logging.Formatter):
    """One JSON object a record: ``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, ``run`` if it is about
    one, ``error`` for an exception, and whatever was logged as ``extra``.

    Args:
        private: leave out the messages of exceptions, which may quote what a person typed.
    """

    def __init__(self, *, private: bool = False) -> None:
        super().__init__()
        self._private = private

    def format(self, record: logging.LogRecord) -> str:
        shown: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if run := _run_of(record):
            shown["run"] = run
        shown |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            shown["error"] = format_error(record.exc_info[1], private=self._private)
        return json.dumps(shown, default=str)


def format_error(error: BaseException, *, private: bool = False) -> str:
    """An exception with its traceback; without its own words if ``private``, as these may quote a prompt."""
    if not private:
        return "".join(traceback.format_exception(error)).rstrip()
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{type(error).__name__}"


def configure_logs(form: str, *, private: bool = False) -> None:
    """Write this process's log to stderr, as ``text`` or ``json``; pixgen's from level INFO in JSON, and all else from
    WARNING.

    Args:
        private: as on a public page: leave out the messages of exceptions.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(private=private) if form == "json" else TextFormatter(private=private))
    root = logging.getLogger()
    for earlier in root.handlers[:]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("pixgen").setLevel(logging.INFO if form == "json" else logging.WARNING)


def _run_of(record: logging.LogRecord) -> str:
    return getattr(record, "run", "") or _run.get()
