"""Make the drawer that a recipe names."""

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
# device to the drawer.
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
    """Make the drawer that a recipe names.

    Args:
        vqgan: for the drawer ``vqgan``, which draws on the device of this model.
        pictures: those that a masked init names.
        device: for the other drawers.
        stage: how often the canvas has grown; by default the first stage.

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
