"""The picture of a run as SVG, from its saved state: strokes as curves, cells as paths."""

from pathlib import Path

from pixgen.errors import StudioError
from pixgen.recipe.drawers import drawers_that
from pixgen.studio.runs.record import read_state
from pixgen.studio.runs.run import Run
from pixgen.studio.storage import write_bytes


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
