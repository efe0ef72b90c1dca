"""What an actor sends to the studio while it paints. Loads neither Ray nor torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pixgen.errors import PixgenError
from pixgen.models.progress import DownloadProgress
from pixgen.recipe.recipe import Recipe

if TYPE_CHECKING:
    from pixgen.synthesis.frames import Candidate

PREVIEWS_A_SECOND = 8.0
JPEG_QUALITY = 90


@dataclass(frozen=True)
class Loaded:
    """The models are loaded; the recipe is as the device paints it."""

    recipe: Recipe


@dataclass(frozen=True, kw_only=True)
class FrameMessage:
    """The frame of a step.

    Args:
        picture: ``(H, W, 3)`` uint8, for steps that are in the video or saved.
        preview: else the same as a JPEG, at most ``PREVIEWS_A_SECOND``.
        cutouts: the sheet of the cutouts ``(H, W, 3)`` uint8, while it is asked for.
        candidates: the sketches, with the first frame that has them.
        recipe: if it has changed since the last frame.
        state: at a checkpoint, as ``pack_state`` writes it.
    """

    step: int
    steps: int
    similarities: tuple[tuple[str, float], ...]
    losses: dict[str, float]
    seconds: float
    notice: str = ""
    picture: np.ndarray | None = None
    preview: bytes | None = None
    cutouts: np.ndarray | None = None
    candidates: "tuple[Candidate, ...]" = ()
    recipe: Recipe | None = None
    state: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Halted:
    """No further frame follows: the last one came, or the painting was halted.

    Args:
        state: after the newest frame.
        picture: that of the newest frame ``(H, W, 3)`` uint8; None if there was no frame.
    """

    recipe: Recipe
    state: bytes
    picture: np.ndarray | None


@dataclass(frozen=True)
class Failed:
    """The painting ended with an error."""

    error: PixgenError


ActorMessage = DownloadProgress | Loaded | FrameMessage | Halted | Failed
