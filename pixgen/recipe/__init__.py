"""The recipe: everything that decides a picture, as frozen values; loads no torch.

In come what a person typed, presets, styles and the JSON of earlier runs. Out comes a validated
``Recipe``, which every other part of pixgen takes as it is."""

from pixgen.recipe.prompts import Prompt, Scene, format_prompts, parse
from pixgen.recipe.recipe import Recipe, make_recipe, read_recipe

__all__ = ["Prompt", "Recipe", "Scene", "format_prompts", "make_recipe", "parse", "read_recipe"]
