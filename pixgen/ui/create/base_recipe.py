"""A whole recipe behind the form, so that a picture can be painted again exactly.

The form shows the settings that matter, and a recipe has more. Where the form is filled in from a
picture, its recipe stays behind it as the *basis*: a field that is as it was filled in leaves the basis
alone, and one that was changed since wins over it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pixgen.errors import RecipeError
from pixgen.recipe.prompts import NEGATIVE_STOP, NO_STOP, Prompt, Scene, format_prompts
from pixgen.recipe.recipe import Recipe, read_recipe
from pixgen.recipe.wildcards import escape_wildcards
from pixgen.studio.runs.inputs import KEPT, named_files
from pixgen.ui.create.form_values import CreateForm
from pixgen.ui.form import Field

LONGEST = 200_000  # characters of a basis that a browser keeps
_PERSONAL = ("crisp", "metadata", "basis", "own_styles")  # a recipe has nothing to do with them


@dataclass(frozen=True)
class BaseRecipe:
    """A recipe, what the form showed of it, and what it is called."""

    recipe: Recipe
    shown: Mapping[str, Any]
    name: str

    @classmethod
    def read(cls, text: Any) -> "BaseRecipe | None":
        """From what a browser kept, which may be anything; None if it is none."""
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
            return None
        try:
            kept = json.loads(text)
            recipe = read_recipe(json.dumps(kept["recipe"]))
            return cls(recipe, dict(kept["shown"]), str(kept["name"])[:200])
        except (ValueError, TypeError, KeyError, RecursionError, RecipeError):
            return None

    def to_json(self) -> str:
        """For the browser to keep; empty if it is too long for that."""
        recipe = json.loads(self.recipe.to_json())
        text = json.dumps({"recipe": recipe, "shown": dict(self.shown), "name": self.name})
        return text if len(text) <= LONGEST else ""

    def changed(self, form: CreateForm) -> CreateForm:
        """The form with None for each field that is still as it was filled in."""
        kept = form.without(CreateForm.read(self.shown))
        # A picture was added in the place of one that was not there.
        return replace(kept, start=form.start) if form.start_picture else kept

    def placed(self, recipe: Recipe) -> Recipe:
        """A recipe made from this one; prompts whose text is still there keep their painted regions."""
        masks = {
            prompt.text: prompt.mask
            for scene in self.recipe.prompts
            for prompt in scene
            if prompt.text and prompt.mask
        }
        if not masks:
            return recipe
        scenes = tuple(
            tuple(
                prompt.model_copy(update={"mask": masks[prompt.text]})
                if prompt.text in masks and prompt.region == "everywhere" and not prompt.mask
                else prompt
                for prompt in scene
            )
            for scene in recipe.prompts
        )
        return recipe.model_copy(update={"prompts": scenes})

    def check_pictures(self, recipe: Recipe) -> None:
        """Raise RecipeError if a recipe made from this one names files of the server other than copies
        that runs keep: a recipe comes from a stranger."""
        strange = named_files(self.recipe) & named_files(recipe)
        for path in sorted(strange):
            if not KEPT.fullmatch(path):
                name = Prompt(picture=path).label
                raise RecipeError(
                    "The recipe was painted with “{name}”, which is not here: add it under “More "
                    "settings”, or choose another start.",
                    name=name[:60],
                )


def form_values_of(recipe: Recipe, values: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """What the form shows of a recipe: its words, size and seed, ``values`` as far as the form's
    ``fields`` can show them, and every other field as it is at first, which leaves the recipe alone."""
    prompt, leave_out = prompt_texts(recipe.prompts)
    preset = recipe.preset if recipe.preset in fields["preset"].choices else None
    shown = {name: field.default for name, field in fields.items() if name not in _PERSONAL}
    shown |= {
        "prompt": prompt,
        "leave_out": leave_out,
        "seed": str(recipe.seed),
        "preset": preset,
        "size": f"{recipe.width}x{recipe.height}",
        "styles": "",  # they are in the words already
    }
    return shown | {name: fields[name].nearest(value) for name, value in values.items()}


def prompt_texts(scenes: tuple[Scene, ...]) -> tuple[str, str]:
    """Scenes as a person types them: the words, and apart from them what is left out of every scene.
    Pictures and painted regions cannot be typed."""
    common = [prompt for prompt in scenes[0] if _is_left_out(prompt)]
    common = [prompt for prompt in common if all(prompt in scene for scene in scenes)]
    rest = tuple(
        tuple(
            prompt.model_copy(update={"mask": ""}) for prompt in scene if prompt.text and prompt not in common
        )
        for scene in scenes
    )
    away = tuple(
        prompt.model_copy(update={"weight": -prompt.weight, "stop": _away(prompt.stop), "mask": ""})
        for prompt in common
    )
    said = tuple(scene for scene in rest if scene)
    return (
        escape_wildcards(format_prompts(said)) if said else "",
        escape_wildcards(format_prompts((away,))) if away else "",
    )


def _is_left_out(prompt: Prompt) -> bool:
    return bool(prompt.text) and prompt.weight < 0 and prompt.stop != NO_STOP and prompt.stop <= 0


def _away(stop: float) -> float:
    return NO_STOP if stop == NEGATIVE_STOP else -stop
