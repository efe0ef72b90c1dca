"""The curves of a run: the similarity to each prompt and every loss by step, in one small JSON file."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixgen.studio.storage import write_bytes
from pixgen.studio.video.recording import is_recorded
from pixgen.text_files import parse_json

if TYPE_CHECKING:
    from pixgen.synthesis import Frame

MAX_ROWS = 600  # rows: twice the frames of a video; a run that was extended has more steps than these
_DIGITS = 5  # significant digits

Metrics = dict[str, float | None]
Column = list[float | None]


class Curve:
    """The metrics of the steps that are in the video. Adding an earlier step drops the later ones."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: list[tuple[int, Metrics, Metrics]] = []  # step, similarities, losses
        # The newest frame's metrics may still be on their way from a GPU: they are read one step later.
        self._newest: Frame | None = None

    @classmethod
    def read(cls, path: Path) -> "Curve":
        """Read a saved curve; empty if there is none, or if it is broken."""
        curve = cls(path)
        try:
            kept = parse_json(path.read_text("utf-8"))
            for place, step in enumerate(kept["steps"]):
                similarities, losses = (
                    {name: column[place] for name, column in kept[kind].items()}
                    for kind in ("similarities", "losses")
                )
                curve._known.append((int(step), similarities, losses))
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError):
            curve._known.clear()
        return curve

    @property
    def steps(self) -> list[int]:
        """The steps of the rows."""
        return [step for step, _, _ in self._rows]

    @property
    def similarities(self) -> dict[str, Column]:
        """A column per prompt, with None where it was not active."""
        return _columns([similarities for _, similarities, _ in self._rows])

    @property
    def losses(self) -> dict[str, Column]:
        """A column per loss, with None where it was not computed."""
        return _columns([losses for _, _, losses in self._rows])

    def add(self, frame: "Frame") -> None:
        """Add a frame's metrics if its step is in the video; later steps are dropped."""
        if frame.step < 0 or not is_recorded(frame.step, frame.steps):
            return
        rows = self._rows
        while rows and rows[-1][0] >= frame.step:
            rows.pop()
        self._newest = frame

    @property
    def _rows(self) -> list[tuple[int, Metrics, Metrics]]:
        if (frame := self._newest) is not None:
            self._newest = None
            self._known.append((frame.step, _short(dict(frame.similarities)), _short(frame.losses)))
            if len(self._known) > MAX_ROWS:
                self._known = self._known[::-2][::-1]  # every other one, the newest among them
        return self._known

    def save(self) -> None:
        """Write the file. Raises StorageError."""
        kept: dict[str, Any] = {
            "steps": self.steps,
            "similarities": self.similarities,
            "losses": self.losses,
        }
        text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        write_bytes(self.path, text.encode())


def _short(figures: dict[str, float]) -> Metrics:
    """Metrics as JSON can hold them: rounded, with None for values that are not finite."""
    return {
        name: float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
        for name, value in figures.items()
    }


def _columns(rows: list[Metrics]) -> dict[str, Column]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
