"""From a recipe to the drawer that it names."""

from collections.abc import Callable, Mapping

import torch
from PIL import Image

from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.drawers.base import Drawer, VqganDrawer
from pixgen.synthesis.drawers.masked import MaskedDrawer, masked_canvas
from pixgen.synthesis.drawers.pixels import PixelsDrawer
from pixgen.synthesis.drawers.strokes import LinesDrawer
from pixgen.synthesis.drawers.waves import MultiresDrawer, fourier_drawer

# Of every drawer in ``pixgen.recipe.drawers.DRAWERS`` that needs no VQGAN: from its settings, width, height and
# device to what draws.
_MAKERS: dict[str, Callable[..., Drawer]] = {
    "pixels": PixelsDrawer,
    "fourier": fourier_drawer,
    "multires": MultiresDrawer,
    "lines": LinesDrawer,
}


def make_drawer(
    recipe: Recipe,
    vqgan: Vqgan | None = None,
    *,
    pictures: Mapping[str, Image.Image] | None = None,
    device: torch.device | str = "cpu",
    stage: int | None = None,
) -> Drawer:
    """The drawer that a recipe names.

    Args:
        vqgan: draws, and says where; only the drawer ``vqgan`` needs it.
        pictures: those that a masked start names.
        device: where another drawer draws.
        stage: how often the canvas has grown; by default as it begins.

    Raises RecipeError if a mask leaves nothing to paint.
    """
    begun = recipe.stage(0) if stage is None else stage
    size = dict(zip(("width", "height"), recipe.canvas(begun), strict=True))
    if not recipe.drawer_kind.needs_vqgan:
        settings = getattr(recipe, recipe.drawer)
        return _MAKERS[recipe.drawer](settings, **size, device=torch.device(device))
    if vqgan is None:
        raise ValueError(f"the drawer {recipe.drawer} needs a VQGAN")
    drawer = VqganDrawer(vqgan, **size)
    if not recipe.init.masked:
        return drawer
    original, mask = masked_canvas(recipe.init, pictures=pictures or {}, **size)
    where = vqgan.codebook.device
    return MaskedDrawer(drawer, original=original.to(where), mask=mask.to(where))
