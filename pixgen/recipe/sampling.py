"""Sampling settings of each kind of sketch model, with defaults, and the conditioning that each accepts."""

from collections.abc import Mapping
from typing import Any

from pixgen.errors import RecipeError
from pixgen.recipe.init import Sketch
from pixgen.recipe.prompts import Scene
from pixgen.recipe.recipe import Recipe

# Of each kind the settings that it has: the pocket's as `bench quality` judged them, and those of
# the demonstrations of dalle-mini, min-dalle and Karlo.
POCKET = {"temperature": 0.7, "top_k": 256, "guidance": 3.0, "looks": 0.4}
DALLE = {"temperature": 1.0, "top_k": 256, "guidance": 10.0}
UNCLIP = {"guidance": 8.0}
_SETTINGS = ("temperature", "top_k", "guidance", "looks")


def sampling_settings(asked: Sketch, usual: Mapping[str, float]) -> dict[str, Any]:
    """The sampling settings of a sketch model: the requested ones over its defaults.

    Raises RecipeError if a requested setting does not exist for this model.
    """
    found: dict[str, Any] = dict(usual)
    for name in _SETTINGS:
        value = getattr(asked, name)
        if value is not None and name not in usual:
            raise RecipeError(
                "The sketcher “{model}” has no {name}: leave init.sketch.{name} out; it has {choices}.",
                model=asked.model,
                name=name,
                choices=", ".join(usual),
            )
        if value is not None:
            found[name] = value
    return found


def prompt_text(recipe: Recipe) -> str:
    """The conditioning of a sketch model that accepts text only.

    Raises RecipeError if the recipe starts from an idea, or has only picture prompts.
    """
    texts = recipe.positive_texts
    if recipe.init.kind == "idea" or not texts:
        raise RecipeError(
            "The sketcher “{model}” reads words, and no pictures or ideas: start from a sketch of "
            "words, or choose the sketcher pocket.",
            model=recipe.init.sketch.model,
        )
    return ", ".join(texts)


def prompt_text_or_pictures(recipe: Recipe) -> str | Scene:
    """The conditioning of a sketch model that accepts text or weighted pictures, for whole pictures only.

    Raises RecipeError if an idea mixes texts and pictures, or if only a part of a picture is repainted.
    """
    name = recipe.init.sketch.model
    if recipe.init.masked:
        raise RecipeError(
            "The sketcher “{name}” paints whole pictures, and no part of one: choose another "
            "sketcher, or set init.fill=codes.",
            name=name,
        )
    terms = recipe.init.idea
    if recipe.init.kind != "idea":
        if texts := recipe.positive_texts:
            return ", ".join(texts)
        terms = recipe.positive_prompts
    if any(term.text for term in terms):
        raise RecipeError(
            "The sketcher “{name}” takes ideas of pictures, and no words among them: leave the words "
            "out, or choose the sketcher pocket.",
            name=name,
        )
    if sum(term.weight for term in terms) <= 0:
        raise RecipeError("Nothing is left of this idea: its parts cancel each other. Change a weight.")
    return terms
