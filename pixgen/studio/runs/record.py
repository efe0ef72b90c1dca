"""Writes a run's folder while its job paints: picture, video, curve, sketches, saved state and facts. Also the SVG of
a saved state.

Every file is written atomically, so that a killed process leaves the run of its last checkpoint.
"""

import dataclasses
import io
import logging
import pickle
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from pixgen.errors import PictureError, PixgenError, StorageError, StudioError, VideoError
from pixgen.images import open_picture
from pixgen.recipe.drawers import drawers_that
from pixgen.recipe.recipe import Recipe, read_recipe
from pixgen.studio.metadata.picture_info import save_png
from pixgen.studio.runs.curve import Curve
from pixgen.studio.runs.run import Run
from pixgen.studio.status import FinalFrame
from pixgen.studio.storage import write_bytes
from pixgen.studio.video.recording import is_video_step, open_recording

if TYPE_CHECKING:
    from pixgen.synthesis import Frame
    from pixgen.synthesis.frames import Candidate

log = logging.getLogger(__name__)
_VERSION = 1
# Of a strip: the most and largest candidates make a wide one.
_MOST_PIXELS, _MOST_BYTES = 160_000_000, 2**29


def save_sketches(candidates: Sequence["Candidate"], path: Path) -> None:
    """Write the candidates' pictures side by side, the best first. Raises StorageError."""
    strip = np.concatenate([candidate.picture for candidate in candidates], axis=1)
    data = io.BytesIO()
    Image.fromarray(strip).save(data, "PNG")
    write_bytes(path, data.getvalue())


def read_sketches(path: Path, recipe: Recipe) -> list[np.ndarray]:
    """The pictures ``(H, W, 3)`` uint8 of a strip; empty if it is missing or broken.

    They have the size of the recipe's canvas at the start.
    """
    try:
        strip = np.asarray(open_picture(path, max_pixels=_MOST_PIXELS, max_bytes=_MOST_BYTES))
    except PictureError:
        return []
    width, height = recipe.canvas(recipe.stage(0))
    if strip.shape[0] != height or strip.shape[1] % width:
        return []
    return np.split(strip, strip.shape[1] // width, axis=1)


@dataclass(frozen=True, kw_only=True)
class SavedState:
    """The state that a run resumes from, and how much of its video belongs to it."""

    recipe: Recipe
    painter: dict[str, Any]
    video_steps: list[int]  # of the pictures in the video
    last_video_step: int


class RunRecorder:
    """Writes a run's folder while a job paints it; ``run`` is the run as it was written last.

    Only the job's thread calls the methods.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.notice = ""  # why the video has a gap
        self.left_out = ""  # which part of the source video is not painted over
        self.curve = Curve(run.curve)
        self._recording = open_recording(run.recipe, run.video)
        self._last_video_step = -sys.maxsize  # sketches have steps below 0
        self._late: Frame | None = None  # of the video, on its way from a GPU

    def resume(self, stored: SavedState) -> None:
        """Continue the video and the curve from a saved state."""
        self.curve = Curve.read(self.run.curve)
        self._recording = open_recording(stored.recipe, self.run.video, steps=stored.video_steps)
        self._last_video_step = stored.last_video_step

    def add_video_frame(self, frame: "Frame") -> None:
        """Add a frame to the video if its step belongs there; only then is its picture computed.

        One that is on its way from a GPU is added with the next: until then the GPU has the next step to do, and
        nobody waits for it.
        """
        self._add_late_frame()
        if frame.copied is None:
            self._add(frame)
        else:
            self._late = frame

    def _add_late_frame(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            self._add(late)

    def _add(self, frame: "Frame") -> None:
        if frame.step <= self._last_video_step or not is_video_step(frame.step, self.run.recipe):
            return
        try:
            self._recording.add(frame.picture, step=frame.step)
            self._last_video_step = frame.step
        except (VideoError, StorageError) as error:
            self._video_failed(error)

    def save(self, run: Run, frame: "Frame | FinalFrame", *, painter: dict[str, Any] | None) -> None:
        """Save everything at ``frame``, and the painter's state after it unless ``painter`` is None.

        If one file cannot be written, the others still are, and the first StorageError is raised. A video
        that cannot be written becomes a notice, so that the picture is not lost.
        """
        self._add_late_frame()
        try:
            self._recording.commit(frame.picture, recipe=run.embedded_recipe)
            self.notice = self._recording.notice or self.left_out
        except (VideoError, StorageError) as error:
            self._video_failed(error)
        # The video is saved before the state, which records how much of the video belongs to it: if the
        # process is killed in between, the run resumes from the older state and cuts the video to it.
        writes: list[Callable[[], None]] = [
            lambda: save_png(frame.picture, run.picture, run.embedded_recipe),
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
        """Drop what was not saved; the files stay."""
        self._recording.abort()

    def _save_state(self, run: Run, frame: "Frame | FinalFrame", painter: dict[str, Any]) -> None:
        stored = SavedState(
            recipe=run.recipe,
            painter=painter,
            video_steps=list(self._recording.steps),
            last_video_step=self._last_video_step,
        )
        write_state(run.state_file, stored, step=frame.step)

    def _video_failed(self, error: PixgenError) -> None:
        log.warning("the video of run %s: %s", self.run.id, error)
        self.notice = error.message


def write_state(path: Path, stored: SavedState, *, step: int) -> None:
    """Save a state; ``step`` is that of the newest picture. Raises StorageError."""
    import torch

    data = io.BytesIO()  # torch's own errors about full disks are not OSErrors
    torch.save(
        {
            "version": _VERSION,
            "recipe": stored.recipe.to_json(),
            "step": step,
            "film_steps": stored.video_steps,
            "filmed": stored.last_video_step,
            "painter": stored.painter,
        },
        data,
    )
    write_bytes(path, data.getvalue())


def read_state(path: Path) -> SavedState | None:
    """Read a saved state; None if there is none yet. Loads tensors and plain values only (``weights_only``).

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
            video_steps=state["film_steps"],
            last_video_step=state["filmed"],
        )
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise StudioError(
            "The saved state of run {folder} is broken: paint its recipe again instead of resuming it.",
            folder=path.parent.name,
        ) from error


def run_svg(run: Run) -> str:
    """The picture of a run as an SVG document, without filters of its colours. Raises StudioError if its drawing method
    has no shapes or its state is not kept."""
    if not run.recipe.drawer_kind.can_svg:
        raise StudioError(
            "Only pictures of the drawing method {drawers} consist of shapes that can be saved as SVG.",
            drawers=drawers_that("can_svg"),
        )
    stored = read_state(run.state_file)
    if stored is None or "latent" not in stored.painter:
        raise StudioError("The state of this picture is not kept: paint its recipe again to save it as SVG.")
    from pixgen.synthesis import make_drawer

    drawer = make_drawer(stored.recipe)
    drawer.latent.data.copy_(stored.painter["latent"])
    return drawer.to_svg()


def save_svg(run: Run, path: Path) -> None:
    """Save the picture of a run as SVG. Raises StudioError, StorageError."""
    write_bytes(path, run_svg(run).encode())
