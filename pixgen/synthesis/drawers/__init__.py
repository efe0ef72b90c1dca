"""Drawers: the tensors that are optimized, and how they become a picture.

In come a recipe and, for a VQGAN, the model. Out come pictures ``(1, 3, H, W)`` in [0, 1] that gradients
pass through."""

from collections.abc import Mapping
from importlib import import_module

import torch
from PIL import Image

from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.drawers.base import Drawer, VqganDrawer
from pixgen.synthesis.drawers.masked import MaskedDrawer, masked_canvas


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
        module, name = recipe.drawer_kind.made_by.split(".")
        make = getattr(import_module(f"pixgen.synthesis.drawers.{module}"), name)
        settings = getattr(recipe, recipe.drawer, None)  # a drawer may have none
        return make(settings, **size, device=torch.device(device))
    if vqgan is None:
        raise ValueError(f"the drawer {recipe.drawer} needs a VQGAN")
    drawer = VqganDrawer(vqgan, **size)
    if not recipe.init.masked:
        return drawer
    original, mask = masked_canvas(recipe.init, pictures=pictures or {}, **size)
    where = vqgan.codebook.device
    return MaskedDrawer(drawer, original=original.to(where), mask=mask.to(where))
