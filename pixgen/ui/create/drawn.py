"""Drawings, brushed areas and moving regions: the HTML of the drawing pad, and the recipe fields made from them.

pad.js sends a drawn start and a region for each prompt; brush.js sends the area of the picture to edit.
"""

import base64
import tempfile
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from pixgen.errors import PictureError, RecipeError
from pixgen.images import open_picture
from pixgen.recipe.options import Region, set_regions
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.studio import Run
from pixgen.text_files import parse_json
from pixgen.ui.create.form import DRAWN, LAST, CreateForm
from pixgen.ui.create.form_recipe import BaseRecipe
from pixgen.ui.i18n import Translator

_LARGEST_MASK = 4 * 2**20  # characters
_LARGEST = 16 * 2**20  # characters of all that was drawn
_HEAD = "data:image/png;base64,"
_BRUSHES = (("small", 6), ("medium", 12), ("large", 20))


def pad_html(say: Translator) -> str:
    """The closed drawing pad; pad.js opens it and fills in colours or prompts."""
    titles = {
        "small": say("A small brush"),
        "medium": say("A medium brush"),
        "large": say("A large brush"),
    }
    brushes = "".join(
        f'<button type="button" data-brush="{name}" title="{escape(titles[name])}" '
        f'aria-label="{escape(titles[name])}"><i style="width:{size}px;height:{size}px"></i></button>'
        for name, size in _BRUSHES
    )
    acts = "".join(
        f'<button type="button" data-do="{name}">{escape(label)}</button>'
        for name, label in (
            ("erase", say("Eraser")),
            ("undo", say("Undo")),
            ("clear", say("Clear")),
            ("done", say.pgettext("pad", "Done")),
        )
    )
    regions = say(
        "Choose a prompt, brush over the area where it applies, then press Generate. A prompt without an area applies everywhere."
    )
    return (
        f'<section id="pg-pad" hidden data-draw="{escape(say("Draw what the picture starts from, then press Generate."))}" '
        f'data-regions="{escape(regions)}" '
        f'data-empty="{escape(say("Write a prompt first; separate several with |."))}" '
        f'data-drawing-kept="{escape(say("A drawing is saved here. It is used if you start from “your drawing”."))}" '
        f'data-regions-kept="{escape(say("Regions are saved here and apply to the next picture."))}">'
        f'<figure class="pg-mat"><div class="pg-pad-mat"><canvas role="img" '
        f'aria-label="{escape(say("The drawing"))}"></canvas></div></figure><p></p>'
        f'<div class="pg-pad-inks" role="group" aria-label="{escape(say("Colours"))}"></div>'
        f'<div class="pg-pad-tools" role="group" aria-label="{escape(say("Brushes"))}">{brushes}{acts}</div>'
        "</section>"
    )


def edit_area_recipe(
    run: Run, recipe: Recipe, mask: str, *, files: ExitStack
) -> tuple[Recipe, Collection[str]]:
    """The recipe that repaints an area of a run's picture, and the pictures that it names.

    Args:
        recipe: what to paint there.
        mask: a PNG as a ``data:`` address, white where to paint.
        files: the mask's file lives as long as it is open.

    Raises RecipeError if the mask is none, or if there is no picture.
    """
    if not run.picture.is_file():
        raise RecipeError("The picture that was painted here is gone: paint it again.")
    path = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="pixgen-"))) / "mask.png"
    path.write_bytes(decode_data_url(mask))
    start = {
        "kind": "picture",
        "picture": str(run.picture),
        "mask": str(path),
        "extend": "",
        "idea": (),
        "fit": "stretch",
    }
    size = {"width": run.recipe.width, "height": run.recipe.height}
    return make_recipe(recipe.model_dump(), size, {"init": start}), (str(run.picture), str(path))


def decode_data_url(mask: str) -> bytes:
    """The bytes of a PNG that a browser sent as a ``data:`` URL. Raises RecipeError."""
    try:
        if not mask.startswith(_HEAD) or len(mask) > _LARGEST_MASK:
            raise RecipeError("The brushed area was not received: brush over it again.")
        data = base64.b64decode(mask[len(_HEAD) :], validate=True)
        open_picture(data)
    except (AttributeError, ValueError, PictureError) as error:
        raise RecipeError("The brushed area was not received: brush over it again.") from error
    return data


@dataclass(frozen=True)
class DrawnInputs:
    """Drawn and uploaded inputs by their paths: a starting picture, brushed regions by their prompts' numbers, and
    the video of a region that moves."""

    start: str = ""
    regions: tuple[Region, ...] = ()
    moving: tuple[Region, ...] = ()

    @classmethod
    def read(cls, form: CreateForm, *, files: ExitStack) -> "DrawnInputs":
        """From a form; the drawn pictures exist as files as long as ``files`` is open.

        Raises RecipeError if the drawing did not arrive whole.
        """
        start, regions = _read(form.drawn)
        moving = ((form.region_prompt or 1, _region(form.region_video)),) if form.region_video else ()
        if not start and not regions:
            return cls(moving=moving)
        folder = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="pixgen-")))

        def kept(data: str, name: str) -> str:
            (folder / name).write_bytes(decode_data_url(data))
            return str(folder / name)

        return cls(
            kept(start, "drawing.png") if start else "",
            tuple(
                (number, _region(kept(data, f"region-{number}.png")))
                for number, data in sorted(regions.items())
            ),
            moving,
        )

    @property
    def files(self) -> tuple[str, ...]:
        """Every file, the starting picture first."""
        masks = (where["mask"] for _, where in (*self.regions, *self.moving))
        return (*([self.start] if self.start else []), *masks)

    def with_regions(self, recipe: Recipe) -> Recipe:
        """The recipe with the regions of its prompts. Raises RecipeError as ``region_settings`` does."""
        part = self.region_settings(recipe)
        return make_recipe(recipe.model_dump(), part) if part else recipe

    def region_settings(self, recipe: Recipe) -> dict[str, Any]:
        """The prompts with their regions, as a partial recipe; a brushed region without a prompt is left out.

        Raises RecipeError if there is no prompt for the region that moves.
        """
        most = max(map(len, recipe.prompts))
        regions = [*(region for region in self.regions if region[0] <= most), *self.moving]
        return {"prompts": set_regions(recipe.prompts, regions)} if regions else {}


def _region(mask: str) -> dict[str, str]:
    """The fields of a prompt that applies where a picture or video is white."""
    return {"region": "everywhere", "mask": mask, "where": ""}


def add_drawn_inputs(
    recipe: Recipe, form: CreateForm, drawn: DrawnInputs, run: Run | None
) -> tuple[Recipe, Collection[str]]:
    """The recipe with the drawn inputs, and the pictures that it names for them.

    Args:
        run: the visitor's last, which a start may be.

    Raises RecipeError if something is missing.
    """
    basis = BaseRecipe.read(form.basis)
    form = form if basis is None else basis.changed_fields(form)
    trusted, picture = list(drawn.files), ""
    if form.start == DRAWN:
        if not drawn.start:
            raise RecipeError("To start from a drawing, draw it first, or choose another starting point.")
        picture = drawn.start
    elif form.start == LAST:
        if run is None or not run.picture.is_file():
            raise RecipeError(
                "There is no last picture to start from: paint one, or choose another starting point."
            )
        picture = str(run.picture)
        trusted.append(picture)
    start: dict[str, Any] = {}
    if picture:
        start = {"kind": "picture", "picture": picture, "idea": (), "mask": "", "extend": ""}
    if picture or recipe.init.kind == "picture":
        start |= _settings(form)
    part = {**drawn.region_settings(recipe), **({"init": start} if start else {})}
    return (make_recipe(recipe.model_dump(), part) if part else recipe), trusted


def _settings(form: CreateForm) -> dict[str, Any]:
    if form.start_extend not in (None, "no"):
        return {"extend": form.start_extend, "strength": 0.0}
    asked = {"strength": form.start_strength, "fit": form.start_fit}
    return {name: value for name, value in asked.items() if value is not None}


def _read(sent: Any) -> tuple[str, dict[int, str]]:
    """The drawn starting picture and the regions by their prompts' numbers, as ``data:`` URLs."""
    if not sent:
        return "", {}
    try:
        if len(sent) > _LARGEST:
            raise ValueError
        value = parse_json(sent)
        regions = {int(number): data for number, data in value["regions"].items()}
        return value["start"], regions
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecipeError("The drawing did not arrive: draw it again.") from error
