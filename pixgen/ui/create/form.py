"""The presets that the page offers: a click on one must not fetch gigabytes."""

# MERGED pixgen.ui.form: What the Create tab asks for, as values: its fields, what a preset sets, and the recipe they make.
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from pixgen.errors import RecipeError
from pixgen.models.catalog import find_entry
from pixgen.models.registry import state_of
from pixgen.recipe.base import find_setting, set_path
from pixgen.recipe.cutouts import CUTOUT_SETS
from pixgen.recipe.drawers import DRAWERS
from pixgen.recipe.options import LARGEST_DRAWN_SEED, Options, find_mistyped_weights
from pixgen.recipe.presets import DEFAULT, Preset, available_presets
from pixgen.recipe.prompts import Prompt, Scene, find_ambiguous_weights, format_prompts, parse
from pixgen.recipe.recipe import LARGEST_SEED, Recipe, make_recipe
from pixgen.recipe.wildcards import escape_wildcards
from pixgen.studio.policy import Policy
from pixgen.studio.runs.inputs import named_files
from pixgen.ui.create.base_recipe import LONGEST, BaseRecipe
from pixgen.ui.create.form_values import CreateForm
from pixgen.ui.create.panels.augmenting import augment_fields, chosen_augmentations
from pixgen.ui.create.panels.drawing import DRAWN, LAST, pad_fields
from pixgen.ui.create.panels.losses import chosen_losses, loss_fields, loss_values
from pixgen.ui.create.panels.models import model_fields, model_values
from pixgen.ui.create.panels.styles import chosen_styles, style_fields
from pixgen.ui.create.panels.video import journey_fields, journey_recipe, journey_values
from pixgen.ui.form import Field, setting_field
from pixgen.ui.i18n import Translator


def offered_presets(policy: Policy) -> dict[str, Preset]:
    """By name, those whose models are bundled or on this machine, and allowed."""
    return {
        name: preset
        for name, preset in available_presets().items()
        if all(_ready(model) and _allowed(model, policy) for model in preset.models)
    }


def _ready(model: str) -> bool:
    entries = [entry for kind in ("vqgan", "clip") if (entry := find_entry(model, kind)) is not None]
    return any(state_of(entry) != "to fetch" for entry in entries)


def _allowed(model: str, policy: Policy) -> bool:
    return policy.models is None or model in policy.models


_SIZES = (
    (128, 128), (192, 128), (128, 192), (192, 192), (256, 256), (384, 256), (256, 384), (512, 512),
)  # fmt: skip


def fields(policy: Policy, say: Translator) -> dict[str, Field]:
    """Every setting that a browser keeps, by name, in the page's order. Uploads are not kept."""
    preset = preset_values(DEFAULT)
    return {
        "prompt": Field(""),
        "leave_out": Field(""),
        "preset": Field(DEFAULT, choices=tuple(offered_presets(policy))),
        "size": Field("128x128"),
        "seed": Field(""),
        "drawer": Field(preset["drawer"], choices=tuple(DRAWERS)),
        "steps": Field(preset["steps"], 1, policy.most_steps, 1),
        "cutouts": _offered("cutouts.count", preset["cutouts"]),
        "cutout_set": Field(preset["cutout_set"], choices=tuple(CUTOUT_SETS)),
        **augment_fields(),
        "learning_rate": _offered("optimizer.learning_rate", preset["learning_rate"]),
        "start": Field(
            preset["start"],
            choices=tuple(
                kind
                for kind, _ in (
                    ("sketch", say("a sketch by the transformer")),
                    ("codes", say("random codes")),
                    ("perlin", say("clouds")),
                    ("gradient", say("a gradient")),
                    ("snow", say("coloured noise")),
                    ("grey", say("plain grey")),
                    ("picture", say("a picture of yours")),
                    ("idea", say("the idea of a picture of yours")),
                    ("drawn", say("what you draw here")),
                    ("last", say("the last picture here")),
                )
            ),
        ),
        "idea_words": Field(""),
        **pad_fields(say),
        "pictures_weight": Field(1, 0.1, 5, 0.1),
        **journey_fields(preset, policy.most_steps),
        **model_fields(preset, policy),
        **loss_fields(preset),
        "crisp": Field(False),
        "metadata": Field(True),
        **style_fields(),
        "basis": Field("", longest=LONGEST),
    }


def _offered(path: str, value: Any) -> Field:
    return setting_field(find_setting(Recipe, path), value)


def preset_values(name: str) -> dict[str, Any]:
    """The settings that a preset decides, by the form's names."""
    return recipe_values(make_recipe({"prompts": "-"}, available_presets()[name].recipe))


def recipe_values(recipe: Recipe) -> dict[str, Any]:
    """A recipe's settings of those that presets decide, by the form's names."""
    return {
        "steps": recipe.steps,
        "cutouts": recipe.cutouts.count,
        "cutout_set": recipe.cutouts.kind,
        "learning_rate": recipe.optimizer.learning_rate,
        "start": recipe.init.kind,
        "drawer": recipe.drawer,
        **journey_values(recipe),
        **model_values(recipe),
        **loss_values(recipe.losses),
    }


def sizes(policy: Policy) -> list[tuple[str, str]]:
    """The sizes to choose from, as (label, value); others may be typed."""
    return [
        (f"{width} × {height}", f"{width}x{height}")
        for width, height in _SIZES
        if max(width, height) <= policy.largest_side
    ]


def to_recipe(form: CreateForm) -> Recipe:
    """The recipe that a filled-in form asks for; a field that is None is the preset's. It is checked once.

    Raises RecipeError.
    """
    basis, known = BaseRecipe.read(form.basis), frozenset()
    if basis is not None:
        form, known = basis.changed(form), named_files(basis.recipe)
        if form.seed == "":
            form = replace(form, seed=str(secrets.randbelow(LARGEST_DRAWN_SEED + 1)))
    elif (preset := form.preset or DEFAULT) in available_presets():
        form = form.without(_preset_form(preset))
    pictures = tuple(Prompt(picture=path, weight=form.pictures_weight or 1) for path in form.pictures or ())
    text, leave_out = form.prompt or "", form.leave_out or ""
    as_it_was = basis is not None and form.prompt is None
    only_pictures = bool(pictures) and not text.strip() and not as_it_was
    recipe = journey_recipe(
        form,
        Options(
            prompt=_prompt(text, pictures if only_pictures else (), as_it_was=as_it_was),
            styles=chosen_styles(form.styles),
            negative=(leave_out,) if leave_out.strip() else (),
            pictures=() if only_pictures else pictures,
            recipe=basis and basis.recipe,
            preset=form.preset or (None if basis else DEFAULT),
            size=form.size or None,
            steps=form.steps,
            seed=_seed(form.seed),
            init=_start(form),
            model=form.model,
            clip=tuple(form.clip or ()),
            sketcher=form.sketcher,
            grow=form.grow,
            augment=chosen_augmentations(form.augment),
            more=_settings(form),
        ),
    )
    if basis is not None and not as_it_was:
        recipe = basis.placed(recipe)
    # Looked for in what was drawn: an alternative may hide a path.
    _refuse_paths(recipe.prompts, known={*known, *(each.picture for each in pictures)})
    if basis is not None:
        basis.check_pictures(recipe)
    return recipe


@cache
def _preset_form(name: str) -> CreateForm:
    """What the form shows of a preset."""
    return CreateForm.read(preset_values(name))


def _prompt(text: str, pictures: Scene, *, as_it_was: bool) -> str | None:
    if as_it_was:
        return None
    return escape_wildcards(format_prompts((pictures,))) if pictures else text


def remarks(form: CreateForm, say: Translator) -> list[str]:
    """What a person should know about what they typed, though it is allowed."""
    typed = f"{form.prompt or ''} | {form.leave_out or ''}"
    return [
        *(
            say("“:{end}” is read as text, because it is not a number such as :0.5 or :-1.", end=end)
            for end in find_mistyped_weights(typed)
        ),
        *(
            say(
                "“{end}” was read as text; with a space before the colon, the number is a weight.",
                end=end,
            )
            for end in find_ambiguous_weights(typed)
        ),
    ]


def _refuse_paths(scenes: Iterable[Scene], *, known: Collection[str] = ()) -> None:
    """A page is read by other people than the server's owner: nobody types paths of its files. ``find_entry``
    are those that were not typed."""
    allowed = {"", *known}
    if any(path not in allowed for scene in scenes for each in scene for path in (each.picture, each.mask)):
        raise RecipeError(
            "A picture cannot be named by its path on this page: add it under “More settings”, or "
            "write \\[ for a bracket."
        )


def _seed(value: str | int | None) -> int | None:
    text = str(value).strip() if value is not None else ""
    if not text:
        return None
    if not re.fullmatch(r"\d{1,19}", text, re.ASCII) or int(text) > LARGEST_SEED:
        raise RecipeError(
            "The seed “{seed}” is not allowed: write a whole number from 0 to {most}, or nothing "
            "for a new one.",
            seed=text[:40],
            most=LARGEST_SEED,
        )
    return int(text)


def _start(form: CreateForm) -> str | None:
    kind, picture = form.start, form.start_picture
    if kind in (DRAWN, LAST):
        return None  # what is drawn, or was painted last, is put in by ``with_drawn``
    if kind not in ("picture", "idea"):
        return kind
    if not picture:
        raise RecipeError(
            "To start from a picture of yours, add it below “Start from” first, or choose another start."
        )
    if kind == "picture":
        return f"picture:{picture}"
    more = form.idea_words or ""
    _refuse_paths(parse(more) if more.strip(" |^\n") else ())
    terms = format_prompts(((Prompt(picture=picture),),))
    return f"idea:{terms} | {more}" if more.strip() else f"idea:{terms}"


def _settings(form: CreateForm) -> dict[str, Any]:
    """What the folded settings ask of a recipe, as a part of it."""
    places = {
        "cutouts": "cutouts.count",
        "cutout_set": "cutouts.kind",
        "learning_rate": "optimizer.learning_rate",
        "drawer": "drawer",
    }
    asked: dict[str, Any] = {"losses": chosen_losses(form.losses, picture=form.wished_picture or "")}
    for name, value in form.given(*places).items():
        set_path(asked, places[name], value)
    return asked
