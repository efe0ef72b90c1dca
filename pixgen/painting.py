"""``pixgen.generate``: one picture, and nothing else to think of."""

from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from pixgen.commands.options import Options, recipe_from
from pixgen.studio import Studio


def generate(
    prompt: str, *, folder: Path | str | None = None, device: str = "auto", **options: Any
) -> Image.Image:
    """Paint a picture from words, and return it when it is done.

    Args:
        prompt: what to paint, in the grammar of ``pixgen.prompts``.
        folder: where the run is kept with its film and its state; by default nothing is kept.
        device: ``auto``, ``cpu`` or ``cuda``.
        options: the fields of ``pixgen.commands.options.Options``, for example ``preset="draft"``,
            ``size="256x128"``, ``steps=60`` or ``seed=7``.

    Raises PixgenError.

    Example:
        >>> picture = pixgen.generate("a red fox | snow:0.5", preset="draft")  # doctest: +SKIP
    """
    recipe = recipe_from(Options(prompt=prompt, **options))
    with (
        TemporaryDirectory(prefix="pixgen-") if folder is None else nullcontext(folder) as home,
        Studio(Path(home), device=device) as studio,
    ):
        job = studio.submit(recipe)
        job.wait()
        if job.error is not None:
            raise job.error
        return Image.fromarray(job.frame.picture)
