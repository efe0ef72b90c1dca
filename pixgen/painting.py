"""``pixgen.generate``, ``grid``, ``strip`` and ``upscale``: a picture, and nothing else to think of."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from pixgen.commands.axes import axes_of, plan_grid
from pixgen.commands.options import Options, recipe_from
from pixgen.commands.strips import plan_strip
from pixgen.paths import expand
from pixgen.studio import Studio
from pixgen.studio.grid_sheet import draw_sheet
from pixgen.studio.grids import Grid, Plan
from pixgen.studio.upscaling import save_upscaled, upscale_picture


def generate(
    prompt: str, *, folder: Path | str | None = None, device: str = "auto", metadata: bool = True,
    **options: Any,
) -> Image.Image:  # fmt: skip
    """Paint a picture from words, and return it when it is done.

    Args:
        prompt: what to paint, in the grammar of ``pixgen.prompts``.
        folder: where the run is kept with its film and its state; by default nothing is kept.
        device: ``auto``, ``cpu`` or ``cuda``.
        metadata: whether the files in ``folder`` carry the recipe.
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
        job = studio.submit(recipe, metadata=metadata)
        job.wait()
        if job.error is not None:
            raise job.error
        assert job.frame is not None  # it has ended without an error
        return Image.fromarray(job.frame.picture)


def grid(
    prompt: str, over: Mapping[str, Sequence[Any]] | Sequence[str] = (), *,
    folder: Path | str | None = None, device: str = "auto", **options: Any,
) -> Image.Image:  # fmt: skip
    """Paint a picture for every value of one or two fields, and return them as one labelled sheet.

    Args:
        prompt: what to paint; its alternatives ``{a|b}`` are values too.
        over: values by field, for example ``{"seed": [1, 2], "cutouts.kind": ["gentle", "crowson"]}``,
            or texts such as ``"seed=1-4"``, in the grammar of ``pixgen.commands.axes``.
        folder: where every cell is kept as a run of its own; by default nothing is kept.
        device, options: as in ``generate``.

    Raises PixgenError.

    Example:
        >>> sheet = pixgen.grid("a {red|blue} fox", {"seed": [1, 2]}, preset="draft")  # doctest: +SKIP
    """
    return _painted(plan_grid(Options(prompt=prompt, **options), axes_of(over)), folder, device)


def strip(
    first: str, last: str, *, pictures: int = 7, folder: Path | str | None = None, device: str = "auto",
    **options: Any,
) -> Image.Image:  # fmt: skip
    """Paint what lies between two ideas, and return the pictures side by side.

    Args:
        first, last: words, a picture's path, or terms such as ``"[a.png] | winter | summer:-1"``.
        pictures: how many, both ends included.
        folder: where every picture is kept as a run of its own; by default nothing is kept.
        device, options: as in ``generate``; without ``steps``, sketches are kept as they are.

    Raises PixgenError.

    Example:
        >>> strip = pixgen.strip("a red fox", "a snowy owl", seed=7)  # doctest: +SKIP
    """
    plan = plan_strip((first, last), Options(**options), count=pictures)
    return _painted(plan, folder, device)


def upscale(
    picture: Path | str, *, scale: float = 2.0, method: str = "auto", out: Path | str | None = None,
    device: str = "auto",
) -> Image.Image:  # fmt: skip
    """Enlarge a picture's file, and return the larger picture.

    Args:
        scale: how many times as wide and high, up to 8.
        method: ``crisp``, the name of a learned one (``pixgen.models.upscalers``), or ``auto``: the bundled
            one for what the bundled models have painted, ``crisp`` for any other picture.
        out: a PNG to write, which keeps the recipe and tells how it was enlarged.

    Raises PixgenError.

    Example:
        >>> larger = pixgen.upscale("fox.png", scale=4, out="large-fox.png")  # doctest: +SKIP
    """
    larger, how = upscale_picture(expand(picture), scale=scale, method=method, device=device)
    if out is not None:
        save_upscaled(larger, expand(out), source=expand(picture), how=how)
    return larger


def _painted(plan: Plan, folder: Path | str | None, device: str) -> Image.Image:
    """A plan's sheet, its runs kept in ``folder`` or nowhere."""
    with (
        TemporaryDirectory(prefix="pixgen-") if folder is None else nullcontext(folder) as home,
        Studio(Path(home), device=device) as studio,
    ):
        made = Grid.make(studio, plan)
        for _ in made.paint():
            pass
        return draw_sheet(made.plan, made.runs())
