"""The sketches that a start was picked from, kept as one strip: a run's folder shows them at a glance."""

# MERGED pixgen.studio.record: What a job writes into its run's folder: picture, film, state and facts, each whole or not at all.
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pixgen.errors import PictureError
from pixgen.images import open_picture
from pixgen.recipe.recipe import Recipe
from pixgen.studio.storage import write_bytes

if TYPE_CHECKING:
    from pixgen.synthesis.frames import Candidate
import dataclasses
import logging
import pickle
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pixgen.errors import PixgenError, StorageError, StudioError, VideoError
from pixgen.recipe.recipe import read_recipe
from pixgen.studio.metadata.metadata import save_png
from pixgen.studio.runs.curve import Curve
from pixgen.studio.runs.run import Run
from pixgen.studio.status import FinalFrame
from pixgen.studio.video.recording import is_shown, video_of

if TYPE_CHECKING:
    from pixgen.synthesis import Frame


# Of a strip: the most and largest candidates make a wide one.
_MOST_PIXELS, _MOST_BYTES = 160_000_000, 2**29


def save_sketches(candidates: Sequence["Candidate"], path: Path) -> None:
    """Write the candidates' pictures side by side, the best liked first. Raises StorageError."""
    strip = np.concatenate([candidate.picture for candidate in candidates], axis=1)
    data = io.BytesIO()
    Image.fromarray(strip).save(data, "PNG")
    write_bytes(path, data.getvalue())


def read_sketches(path: Path, recipe: Recipe) -> list[np.ndarray]:
    """The pictures ``(H, W, 3)`` uint8 of a strip; none if there is no whole strip.

    They are as large as the recipe's canvas at the start.
    """
    try:
        strip = np.asarray(open_picture(path, max_pixels=_MOST_PIXELS, max_bytes=_MOST_BYTES))
    except PictureError:
        return []
    width, height = recipe.canvas(recipe.stage(0))
    if strip.shape[0] != height or strip.shape[1] % width:
        return []
    return np.split(strip, strip.shape[1] // width, axis=1)


log = logging.getLogger(__name__)
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class SavedState:
    """A saved state: all that a run goes on from, and how much of its film belongs to it."""

    recipe: Recipe
    painter: dict[str, Any]
    film_steps: list[int]  # of the pictures in its film
    filmed: int


class Record:
    """The folder of a run while a job paints it.

    ``run`` is what was written last. Only the job's thread calls the methods.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.notice = ""  # why the film has a gap
        self.left_out = ""  # what of a video is not painted over
        self.curve = Curve(run.curve)
        self._film = video_of(run.recipe, run.film)
        self._filmed = -sys.maxsize  # sketches come before step 0

    def go_on(self, stored: SavedState) -> None:
        """Let film and curve go on from where the stored state stands."""
        self.curve = Curve.read(self.run.curve)
        self._film = video_of(stored.recipe, self.run.film, steps=stored.film_steps)
        self._filmed = stored.filmed

    def film(self, frame: "Frame") -> None:
        """Add a frame to the film if it belongs there; only then is its picture asked for."""
        if frame.step <= self._filmed or not is_shown(frame.step, self.run.recipe):
            return
        try:
            self._film.add(frame.picture, step=frame.step)
            self._filmed = frame.step
        except (VideoError, StorageError) as error:
            self._film_failed(error)

    def save(self, run: Run, frame: "Frame | FinalFrame", *, painter: dict[str, Any] | None) -> None:
        """Save everything as it stands at ``frame``, with the painter's state after it if that is sound.

        What can be saved is, even if something else cannot. Raises the first StorageError. A film
        that cannot be written is a notice: it is no reason to lose a picture.
        """
        try:
            self._film.commit(frame.picture, recipe=run.carried)
            self.notice = self._film.notice or self.left_out
        except (VideoError, StorageError) as error:
            self._film_failed(error)
        # The film is saved before the state, which says how much of the film belongs to it: killed
        # in between, the run goes on from the older state and cuts the film to it.
        writes: list[Callable[[], None]] = [
            lambda: save_png(frame.picture, run.picture, run.carried),
            self.curve.save,
            lambda: self.save_facts(dataclasses.replace(run, notice=run.notice or self.notice)),
        ]
        if painter is not None:
            writes.insert(0, lambda: self._save_state(run, frame, painter))
        if frame.candidates:
            writes.insert(-1, lambda: save_sketches(frame.candidates, run.sketches))
        errors = []
        for write in writes:
            try:
                write()
            except StorageError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def save_facts(self, run: Run) -> None:
        """Save the recipe and ``run.json`` only. Raises StorageError."""
        run.save()
        self.run = run

    def close(self) -> None:
        """Forget what was not saved; files that are there stay."""
        self._film.abort()

    def _save_state(self, run: Run, frame: "Frame | FinalFrame", painter: dict[str, Any]) -> None:
        stored = SavedState(
            recipe=run.recipe,
            painter=painter,
            film_steps=list(self._film.steps),
            filmed=self._filmed,
        )
        write_state(run.state_file, stored, step=frame.step)

    def _film_failed(self, error: PixgenError) -> None:
        log.warning("the film of run %s: %s", self.run.id, error)
        self.notice = error.message


def write_state(path: Path, stored: SavedState, *, step: int) -> None:
    """Save a state; ``step`` is the newest picture's. Raises StorageError."""
    import torch

    data = io.BytesIO()  # torch's own errors about full disks are not OSErrors
    torch.save(
        {
            "version": _VERSION,
            "recipe": stored.recipe.to_json(),
            "step": step,
            "film_steps": stored.film_steps,
            "filmed": stored.filmed,
            "painter": stored.painter,
        },
        data,
    )
    write_bytes(path, data.getvalue())


def read_state(path: Path) -> SavedState | None:
    """A saved state; None if there is none yet. Reads tensors and plain values, unpickles nothing.

    Raises StudioError if it is broken.
    """
    if not path.exists():
        return None
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return SavedState(
            recipe=read_recipe(state["recipe"]),
            painter=state["painter"],
            film_steps=state["film_steps"],
            filmed=state["filmed"],
        )
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError,
            pickle.UnpicklingError, zipfile.BadZipFile) as error:  # fmt: skip
        raise StudioError(
            "The state of run {folder} is broken: paint its recipe anew instead of going on.",
            folder=path.parent.name,
        ) from error
