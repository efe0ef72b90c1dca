"""From the form to a recipe, and from a recipe back to the form.

The form shows the settings that matter, and a recipe has more. Where the form is filled in from a picture,
its recipe stays behind it as the *base recipe*: a field that is as it was filled in leaves the base recipe
alone, and a field that was changed since wins over it.
"""

import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pixgen.errors import PixgenError, RecipeError
from pixgen.messages import Message
from pixgen.recipe.base import set_path, settings_of
from pixgen.recipe.options import LARGEST_DRAWN_SEED, Options, find_mistyped_weights, parse_size, recipe_from
from pixgen.recipe.presets import DEFAULT, available_presets
from pixgen.recipe.prompts import (
    NEGATIVE_STOP,
    NO_STOP,
    Prompt,
    Scene,
    find_ambiguous_weights,
    find_unfinished,
    format_prompts,
    parse,
)
from pixgen.recipe.recipe import LARGEST_SEED, Recipe, read_recipe
from pixgen.recipe.wildcards import escape_wildcards
from pixgen.studio.runs.inputs import KEPT_PATH, named_files
from pixgen.studio.video.journeys import plan_journey, plan_restyle
from pixgen.text_files import parse_json
from pixgen.ui.components import Field
from pixgen.ui.create.form import (
    DRAWN,
    EFFECT_SETTINGS,
    EFFECT_UPLOADS,
    JOURNEY_NAMES,
    JOURNEY_SETTINGS,
    LAST,
    LONGEST_AUGMENTATION,
    LONGEST_BASE,
    LOSS_SETTINGS,
    UPLOADS,
    CreateForm,
    preset_values,
)
from pixgen.ui.create.panels.story import read_story
from pixgen.ui.create.panels.styles import chosen_styles
from pixgen.ui.i18n import Translator

MOST_AUGMENTATIONS = 8  # that the page adds to a set
_PLACES = {
    "cutouts": "cutouts.count",
    "cutout_set": "cutouts.kind",
    "learning_rate": "optimizer.learning_rate",
    "drawer": "drawer",
}  # of settings that have names of their own in the form
# The field or upload of the form that an error is about: by the setting that the error names,
_SETTING_FIELDS = {
    **{setting.path: name for name, setting in (JOURNEY_SETTINGS | EFFECT_SETTINGS).items()},
    **{f"losses.{setting.path}": name for name, setting in LOSS_SETTINGS.items()},
    **{path: name for names in (_PLACES, EFFECT_UPLOADS) for name, path in names.items()},
    "prompts": "prompt",
    "width": "size",
    "height": "size",
    "steps": "steps",
    "journey.audio": "sound",
    "colouring": "lookup_file",
}
_SENTENCE_FIELDS = {
    "The prompt": "prompt",
    "The weight of “{term}”": "prompt",
    "A noise prompt": "prompt",
    "The seed “{seed}”": "seed",
    "“{text}” is not a size": "size",
    "A picture may be at most {limit} pixels": "size",
    "A region names prompt": "region_prompt",
    "To start from your picture": "start_picture",
    "To paint over a video": "video",
    "an expression follows the sound": "sound",
}  # and by how its sentence begins
_TITLES = {setting.path: setting.title for setting in settings_of(Recipe)}
_TITLES["colouring"] = _TITLES["colouring.lookup"]  # of what is wrong with it as a whole
_NOT_IN_A_RECIPE = ("crisp", "metadata", "basis", "own_styles", "count", "region_prompt")


def to_recipe(form: CreateForm) -> Recipe:
    """Make the recipe of a form, validated once; a field that is None takes the preset's value.

    Raises RecipeError.
    """
    basis, known = BaseRecipe.read(form.basis), frozenset()
    if basis is not None:
        form, known = basis.changed_fields(form), named_files(basis.recipe)
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
        recipe = basis.with_regions(recipe)
    # Checked after wildcards are expanded: one of them may hold a path.
    _refuse_paths(recipe.prompts, known={*known, *(each.picture for each in pictures)})
    if basis is not None:
        basis.check_pictures(recipe)
    return recipe


@cache
def _preset_form(name: str) -> CreateForm:
    """A preset's values as a form."""
    return CreateForm.read(preset_values(name))


def _prompt(text: str, pictures: Scene, *, as_it_was: bool) -> str | None:
    if as_it_was:
        return None
    return escape_wildcards(format_prompts((pictures,))) if pictures else text


def remarks(form: CreateForm, say: Translator) -> list[str]:
    """Hints about a valid prompt that may be read differently than intended."""
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
        *(
            say(
                "“{prompt}” is read as text. A direction has words on both sides, day -> night; a region ends its "
                "prompt, snow @[the hill].",
                prompt=prompt,
            )
            for prompt in find_unfinished(typed)
        ),
    ]


def describe_error(error: PixgenError, form: CreateForm) -> tuple[Message, str]:
    """An error's message, in which settings have the titles of their controls, and the field or upload of the form
    that it is about; an empty name if it is about none."""
    sentences = list(_sentences(error.message))
    fields = (_field_of(sentence, form) for sentence in sentences)
    return _with_titles(error.message), next(filter(None, fields), "")


def _sentences(message: Message) -> Iterator[Message]:
    """A message and those inside it, the innermost first."""
    for value in message.values.values():
        if isinstance(value, Message):
            yield from _sentences(value)
    yield message


def _field_of(sentence: Message, form: CreateForm) -> str:
    path = str(sentence.values.get("field", ""))
    while path:
        if path in _SETTING_FIELDS:
            return _SETTING_FIELDS[path]
        path = path.rpartition(".")[0]
    if name := sentence.values.get("name"):
        for upload in UPLOADS:
            added = getattr(form, upload) or ()
            if name in [Path(each).name for each in ([added] if isinstance(added, str) else added)]:
                return upload
    return next(
        (field for start, field in _SENTENCE_FIELDS.items() if sentence.template.startswith(start)), ""
    )


def _with_titles(message: Message) -> Message:
    values = {
        name: _with_titles(value) if isinstance(value, Message) else value
        for name, value in message.values.items()
    }
    if title := _TITLES.get(str(values.get("field"))):
        values["field"] = Message(title)
    return Message(message.template, **values) if message.plural is None else message


def _refuse_paths(scenes: Iterable[Scene], *, known: Collection[str] = ()) -> None:
    """Raise RecipeError if a prompt names a file of the server: visitors must not read them by path.

    Args:
        known: paths that were not typed, such as uploads.
    """
    allowed = {"", *known}
    if any(path not in allowed for scene in scenes for each in scene for path in (each.picture, each.mask)):
        raise RecipeError(
            "Pictures cannot be given by path on this page: add the picture under “Advanced › Start and picture "
            "prompts”, or write \\[ for a bracket."
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
        return None  # drawings and the last picture are added by ``add_drawn_inputs``
    if kind not in ("picture", "idea"):
        return kind
    if not picture:
        raise RecipeError(
            "To start from your picture, add it below “Start from” first, or choose another starting point."
        )
    if kind == "picture":
        return f"picture:{picture}"
    more = form.idea_words or ""
    _refuse_paths(parse(more) if more.strip(" |^\n") else ())
    terms = format_prompts(((Prompt(picture=picture),),))
    return f"idea:{terms} | {more}" if more.strip() else f"idea:{terms}"


def _settings(form: CreateForm) -> dict[str, Any]:
    """The folded settings as a partial recipe."""
    asked: dict[str, Any] = {"losses": loss_values_to_recipe(form.losses, picture=form.wished_picture or "")}
    for name, value in form.given_values(*_PLACES).items():
        set_path(asked, _PLACES[name], value)
    for name, value in form.effects.items():
        set_path(asked, EFFECT_SETTINGS[name].path, value)
    for name, value in form.given_values(*EFFECT_UPLOADS).items():
        set_path(asked, EFFECT_UPLOADS[name], value)
    return asked


def loss_values_to_recipe(values: Mapping[str, Any], *, picture: str) -> dict[str, Any]:
    """The losses of the form as a partial ``losses`` of a recipe.

    Args:
        values: those that are given, by the names in ``LOSS_SETTINGS``.
        picture: the path of the upload for colours and style, if there is one.
    """
    asked: dict[str, Any] = {}
    for name, value in values.items():
        set_path(asked, LOSS_SETTINGS[name].path, value)
    if picture:
        if not values.get("palette_colours", "").strip():
            set_path(asked, "palette.picture", picture)
        set_path(asked, "style.picture", picture)
    return asked


def chosen_augmentations(value: object) -> tuple[str, ...]:
    """The chosen augmentations as they are typed on the command line; anything else is left out."""
    texts = value if isinstance(value, (list, tuple)) else ()
    return tuple(text for text in texts if isinstance(text, str) and 0 < len(text) <= LONGEST_AUGMENTATION)[
        :MOST_AUGMENTATIONS
    ]


def journey_recipe(form: CreateForm, options: Options) -> Recipe:
    """The recipe of the form's options: a story, a journey or a restyled video if the form asks for one.
    Raises RecipeError, VideoError."""
    more = {**options.more, "story": form.given_values("fade", "blend")}
    rows, steps = read_story(form.story_rows)
    length = {"steps": steps} if steps else {}
    options = replace(options, story=rows, audio=form.sound or None, more=more, **length)
    frames, given_values = form.frames or 0, form.given_values(*JOURNEY_NAMES)
    if form.video:
        size = None if options.size is None else parse_size(options.size)
        kept = {name: given_values[name] for name in ("every", "smooth") if name in given_values}
        return plan_restyle(
            Path(form.video),
            replace(options, size=None),
            frames=frames or None,
            area=size,
            carry=form.carry,
            **kept,
        )
    if options.preset == "restyle":
        raise RecipeError(
            "To paint over a video, add it under “Advanced › Story and camera” first, or choose another kind "
            "of video there."
        )
    if frames:
        return plan_journey(options, frames=frames, **given_values)
    if form.frames is not None:  # the form turns the preset's journey off
        options = replace(options, more={**options.more, "journey": {"every": 0, "after": 0}})
    return recipe_from(options)


@dataclass(frozen=True)
class BaseRecipe:
    """A recipe with its name, and the form values that were filled in from it."""

    recipe: Recipe
    shown: Mapping[str, Any]
    name: str

    @classmethod
    def read(cls, text: object) -> "BaseRecipe | None":
        """From the data that a browser stored, which may be anything; None if it is not valid."""
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_BASE:
            return None
        try:
            kept = parse_json(text)
            recipe = read_recipe(json.dumps(kept["recipe"]))
            return cls(recipe, dict(kept["shown"]), str(kept["name"])[:200])
        except (ValueError, TypeError, KeyError, RecursionError, RecipeError):
            return None

    def to_json(self) -> str:
        """As text for the browser to store; empty if it is too long."""
        recipe = json.loads(self.recipe.to_json())
        text = json.dumps({"recipe": recipe, "shown": dict(self.shown), "name": self.name})
        return text if len(text) <= LONGEST_BASE else ""

    def changed_fields(self, form: CreateForm) -> CreateForm:
        """The form with None for each field that still has the value that was filled in."""
        kept = form.without(CreateForm.read(self.shown))
        # A picture was added in place of a missing one.
        return replace(kept, start=form.start) if form.start_picture else kept

    def with_regions(self, recipe: Recipe) -> Recipe:
        """A recipe made from this one, in which prompts with unchanged text keep their painted regions."""
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
                if prompt.text in masks and prompt.area == Prompt(text=prompt.text).area
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
            if not KEPT_PATH.fullmatch(path):
                name = Prompt(picture=path).label
                raise RecipeError(
                    "The recipe uses the picture “{name}”, which is missing: add it under “Advanced › Start and "
                    "picture prompts”, or choose another starting point.",
                    name=name[:60],
                )


def recipe_to_form(recipe: Recipe, values: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Fill in the form from a recipe: prompt, size, seed, and those ``values`` that the form's ``fields`` can
    show; all other fields get their defaults, which do not change the recipe."""
    prompt, leave_out = prompt_texts(recipe.prompts)
    preset = recipe.preset if recipe.preset in fields["preset"].choices else None
    shown = {name: field.default for name, field in fields.items() if name not in _NOT_IN_A_RECIPE}
    shown |= {
        "prompt": prompt,
        "leave_out": leave_out,
        "seed": str(recipe.seed),
        "preset": preset,
        "size": f"{recipe.width}x{recipe.height}",
        "styles": "",  # they are part of the prompt already
    }
    return shown | {name: fields[name].nearest(value) for name, value in values.items()}


def prompt_texts(scenes: tuple[Scene, ...]) -> tuple[str, str]:
    """Scenes as they are typed: the prompt, and the negative prompt of all scenes. Pictures and painted
    regions cannot be typed."""
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
