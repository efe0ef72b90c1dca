"""The recipe: everything that decides a picture, as frozen values; loads no torch.

In come what a person typed, presets, styles and the JSON of earlier runs. Out comes a validated
``Recipe``, which every other part of pixgen takes as it is."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixgen.recipe.prompts import Prompt, Scene, format_prompts, parse
    from pixgen.recipe.recipe import Recipe, make_recipe, read_recipe

__all__ = ["Prompt", "Recipe", "Scene", "format_prompts", "make_recipe", "parse", "read_recipe"]

_HOMES = {
    "Prompt": "prompts",
    "Scene": "prompts",
    "format_prompts": "prompts",
    "parse": "prompts",
    "Recipe": "recipe",
    "make_recipe": "recipe",
    "read_recipe": "recipe",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``pixgen.losses`` imports ``pixgen.recipe.base``, and the
    recipe imports the losses, so that loading the recipe here would close a circle."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
