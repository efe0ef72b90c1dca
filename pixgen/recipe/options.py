"""Turn options, as they are typed on the command line or passed from Python, into a recipe.

In come ``Options`` (a prompt, a preset, a size, regions such as ``2=left``, assignments such as
``cutouts.count=16``). Out comes a validated ``Recipe``.
"""

import re
import secrets
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from pixgen.errors import RecipeError
from pixgen.paths import CHECKPOINTS, absolute_name, expand
from pixgen.recipe.base import current_path, set_field
from pixgen.recipe.escapes import LONGEST_NUMBER
from pixgen.recipe.init import INIT_KINDS
from pixgen.recipe.kornia_classes import parse_augmentation
from pixgen.recipe.presets import DEFAULT, load_preset
from pixgen.recipe.prompts import (
    NEGATIVE_STOP,
    NO_STOP,
    PLACES,
    Prompt,
    Scene,
    parse,
    replace_texts,
    texts_of,
)
from pixgen.recipe.recipe import LARGEST_SIDE, SMALLEST_SIDE, Recipe, make_recipe
from pixgen.recipe.story import read_story
from pixgen.recipe.styles import Style, apply_styles, load_styles
from pixgen.recipe.wildcards import draw_wildcards
from pixgen.translation import AUTO, ENGLISH, LANGUAGE_NAMES, needs_english, translate_all

Region = tuple[int, dict[str, Any]]  # the number of a prompt, and what of it to set


def parse_region(text: str) -> Region:
    """Parse ``N=WHERE``: the number of a prompt, from 1, and its region. Raises RecipeError."""
    found = re.fullmatch(r"(\d{1,4})\s*=\s*(\S.*)", text.strip(), re.DOTALL)
    if not found:
        raise RecipeError(
            "“{text}” is not a region: write a prompt's number and where it applies, for example "
            "2=left or 2=mask.png.",
            text=text,
        )
    number, where = int(found[1]), found[2]
    word = "centre" if where.lower() == "center" else where.lower()
    if word in PLACES:
        return number, {"region": word, "mask": "", "where": ""}
    if not expand(where).is_file():
        raise RecipeError(
            "“{where}” is neither a region nor an existing picture: choose {choices}, or a picture that is "
            "white where the prompt applies.",
            where=where,
            choices=", ".join(PLACES),
        )
    return number, {"region": "everywhere", "mask": where, "where": ""}


def set_regions(scenes: tuple[Scene, ...], regions: Iterable[Region]) -> tuple[Scene, ...]:
    """Give prompts other regions, by their number in each scene, from 1. Raises RecipeError if no scene has
    so many prompts."""
    for number, where in regions:
        most = max(map(len, scenes))
        if not 1 <= number <= most:
            raise RecipeError(
                "A region names prompt {number}, but the number of prompts is {most}.",
                number=number,
                most=most,
            )
        scenes = tuple(
            tuple(
                Prompt.model_validate(prompt.model_dump() | where) if place == number else prompt
                for place, prompt in enumerate(scene, start=1)
            )
            for scene in scenes
        )
    return scenes


LARGEST_DRAWN_SEED = 2**32 - 1  # short enough to be read out and typed again

_ALMOST_A_NUMBER = re.compile(r"[+-]*(?:nan|inf|infinity|[.,]*\d[\d.,%x]*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options as they were typed; None or empty where an option was not given."""

    prompt: str | None = None
    translations: Mapping[str, str] | None = None  # of the prompts; None: as ``language`` says
    language: str = AUTO  # of the prompts: a code of LANGUAGE_NAMES, “en” or “auto”
    styles: Sequence[str | Style] = ()  # names, JSON files, or styles themselves; the first is innermost
    negative: Sequence[str] = ()
    recipe: Recipe | None = None  # the one to be repeated
    preset: str | None = None
    size: str | None = None
    steps: int | None = None
    seed: int | None = None
    model: str | None = None
    config: str | None = None  # of a checkpoint that ``model`` names by its path
    clip: Sequence[str] = ()
    init: str | None = None
    sketcher: str | None = None  # of a start that is sketched
    mask: str | None = None
    extend: str | None = None
    strength: float | None = None  # how far from the picture that it starts from
    grow: str | None = None  # parts of the steps at which the canvas grows; “never”
    story: Sequence[Mapping[str, Any]] = ()  # a table of scenes, instead of a prompt
    pictures: Scene = ()  # prompts that join every scene
    regions: Sequence[str] = ()  # as “2=left” or “2=mask.png”, in the grammar of parse_region
    audio: str | None = None  # a sound file that the video carries
    wall: str | None = None  # which tiles the picture makes
    overlay: str | None = None  # a picture that is blended in every few steps
    lookup: str | None = None  # a .cube file
    colours_of: str | None = None  # a picture whose colours are carried over
    augment: Sequence[str] = ()  # as “RandomInvert:p=0.1”, in the grammar of kornia_classes
    more: Mapping[str, Any] = field(default_factory=dict)  # a partial recipe
    assignments: Sequence[str] = ()

    @classmethod
    def typed(cls, **values: Any) -> "Options":
        """Make options from a command's parameters: None means not given, and paths become strings."""
        given: dict[str, Any] = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in values.items()
            if value is not None
        }
        return cls(**given)


def recipe_from(options: Options) -> Recipe:
    """Build a recipe from options. Later sources override earlier ones: the recipe to repeat, the preset, the
    options, ``--set``. The seed chooses among a prompt's wildcards. Raises RecipeError."""
    parts: list[Mapping[str, Any]] = []
    if options.recipe is not None:
        parts.append(options.recipe.model_dump(mode="json", exclude_defaults=True))
    if options.preset is not None or options.recipe is None:
        preset = load_preset(options.preset or DEFAULT)
        parts += [preset.recipe, {"preset": preset.name}]
    assigned: dict[str, Any] = {}
    for assignment in options.assignments:
        check_field(assignment)
        set_field(assigned, assignment)
    fields = _option_fields(options)
    repeated = options.recipe.seed if options.recipe is not None else 0
    seed = assigned.get("seed", fields.get("seed", repeated))
    prompts = _prompt_fields(options, seed=seed)
    parts += [prompts, fields, options.more, assigned]
    recipe = make_recipe(*parts)
    if "prompts" in prompts and "translations" not in {**options.more, **assigned}:
        recipe = recipe.model_copy(update={"translations": tuple(_translations(options, recipe).items())})
    if options.augment:
        more = [parse_augmentation(text) for text in options.augment]
        recipe = recipe.model_copy(
            update={"cutouts": recipe.cutouts.with_augmentations(more, version=recipe.version)}
        )
    if not options.regions:
        return recipe
    scenes = set_regions(recipe.prompts, map(parse_region, options.regions))
    return make_recipe(recipe.model_dump(), {"prompts": scenes})


def parse_size(text: str) -> tuple[int, int]:
    """Parse width and height from ``256x128`` or, for a square, ``256``. Raises RecipeError."""
    found = re.fullmatch(r"\s*(\d{1,5})\s*(?:[xX×]\s*(\d{1,5})\s*)?", text)
    sides = [int(side) for side in found.groups() if side] if found else []
    if not sides or not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in sides):
        raise RecipeError(
            "“{text}” is not a size: write width x height in pixels, each from {smallest_side} to "
            "{limit}, for example 256x128.",
            text=text,
            smallest_side=SMALLEST_SIDE,
            limit=LARGEST_SIDE,
        )
    return sides[0], sides[-1]


def parse_init(text: str) -> dict[str, Any]:
    """Parse ``--init``: a kind, ``picture:PATH``, ``variation:PATH`` or ``idea:TERMS`` (in the grammar of
    prompts). ``dalle`` is an alias of ``sketch``. Raises RecipeError."""
    kind, _, more = text.partition(":")
    start = {"kind": kind, "picture": "", "idea": (), "strength": 0.0}
    if kind == "picture" and more:
        return {**start, "picture": more}
    if kind == "variation" and more:
        return {**start, "kind": "idea", "idea": ({"picture": more},)}
    if kind == "idea" and more:
        return {**start, "idea": more}
    if text == "dalle":
        return {**start, "kind": "sketch"}
    alone = [name for name, each in INIT_KINDS.items() if each.alone]
    if text not in alone:
        raise RecipeError(
            "“{text}” is not a starting point: choose {choices}, picture:PATH, variation:PATH or idea:TERMS.",
            text=text,
            choices=", ".join(alone),
        )
    return start


def load_chosen_styles(options: Options) -> list[Style]:
    """Load the styles that the options name, the innermost first. Raises RecipeError."""
    return [
        style
        for each in options.styles
        for style in ((each,) if isinstance(each, Style) else load_styles(each))
    ]


def find_mistyped_weights(prompt: str) -> list[str]:
    """Find ends of prompts that look like a weight but are not a number, and are therefore read as text."""
    ends = [term.rpartition(":")[2].strip() for term in re.split(r"[|^]", prompt) if ":" in term]
    return [
        end
        for end in ends
        if len(end) <= LONGEST_NUMBER and _ALMOST_A_NUMBER.fullmatch(end) and not _is_number(end)
    ]


def check_field(assignment: str) -> None:
    """Raise RecipeError, listing the allowed names, if ``key.path=value`` does not name a recipe field."""
    key = current_path(assignment.partition("=")[0].strip())
    model: type[BaseModel] | None = Recipe
    for part in key.split("."):
        if model is None:
            raise RecipeError(
                "“{key}” is not a field of a recipe: “{part}” is too much.",
                key=key,
                part=part,
            )
        if part not in model.model_fields:
            names = ", ".join(name for name in model.model_fields if name != "version")
            raise RecipeError(
                "A recipe has no field “{key}”: instead of “{part}”, choose {names}.",
                key=key,
                part=part,
                names=names,
            )
        model = _model_in(model.model_fields[part].annotation)


def _prompt_fields(options: Options, *, seed: int) -> dict[str, Any]:
    """The prompts, and what belongs to them; empty if those of the recipe are repeated as they are."""
    typed, repeats = _typed_scenes(options, seed=seed)
    if options.story:
        return {"prompts": typed, "story": read_story(options.story).story, "changes": ()}
    if repeats and not (options.styles or options.negative or options.pictures):
        return {}
    prompts = apply_styles(typed, load_chosen_styles(options))
    # Edits made while the repeated recipe was painted, and the steps of its scenes, belong to its prompts.
    others = {} if repeats else {"story": {"starts": (), "easings": ()}, "changes": ()}
    return {"prompts": prompts, **others}


def _translations(options: Options, recipe: Recipe) -> dict[str, str]:
    """The English of the recipe's texts, each in its style, as far as they are not English.

    Those of a repeated recipe stay; what is new is translated where the CLIPs know English alone.
    """
    if options.language not in (AUTO, ENGLISH, *LANGUAGE_NAMES):
        raise RecipeError(
            "There is no language “{name}”: choose {auto}, {english} or {codes}.",
            name=options.language[:20],
            auto=AUTO,
            english=ENGLISH,
            codes=", ".join(LANGUAGE_NAMES),
        )
    typed, repeats = _typed_scenes(options, seed=recipe.seed)
    english = dict(options.recipe.translations) if repeats and options.recipe else {}
    old = texts_of(options.recipe.prompts) if repeats and options.recipe else []
    if options.translations is not None:
        english |= options.translations
    elif needs_english(recipe.clip_names):
        english |= translate_all((text for text in texts_of(typed) if text not in old), options.language)
    styles = load_chosen_styles(options)
    before, after = apply_styles(typed, styles), apply_styles(replace_texts(typed, english), styles)
    typed_texts, english_texts = (
        [text for scene in scenes for prompt in scene for text in prompt.texts] for scenes in (before, after)
    )
    pairs = zip(typed_texts, english_texts, strict=True)
    return {one: other for one, other in pairs if one != other}


def _typed_scenes(options: Options, *, seed: int) -> tuple[tuple[Scene, ...], bool]:
    """The prompts without styles, negative ones and pictures included, and whether those of the recipe are
    repeated."""
    pushed = (
        _as_negative(prompt)
        for text in options.negative
        for scene in parse(draw_wildcards(text, seed))
        for prompt in scene
    )
    more = (*pushed, *options.pictures)
    if options.story:
        return _add_prompts(read_story(options.story).scenes, more), False
    if options.prompt is not None:
        return _add_prompts(parse(draw_wildcards(options.prompt, seed)), more), False
    if options.recipe is None:
        raise RecipeError("The prompt is empty: say what to paint, for example “a red fox”.")
    return _add_prompts(options.recipe.prompts, more), True


def _add_prompts(scenes: Sequence[Scene], more: Scene) -> tuple[Scene, ...]:
    return tuple((*scene, *more) for scene in scenes)


def _as_negative(prompt: Prompt) -> Prompt:
    stop = NEGATIVE_STOP if prompt.stop == NO_STOP else -abs(prompt.stop)
    return prompt.model_copy(update={"weight": -abs(prompt.weight), "stop": stop})


def _option_fields(options: Options) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "steps": options.steps,
        # A new total is painted in one go, whatever the repeated recipe was extended from.
        "earlier_steps": None if options.steps is None else (),
        "seed": options.seed,
        **_model_fields(options),
        "clip": tuple(map(absolute_name, options.clip)) or None,
        "init": _init_fields(options),
        "grow": None if options.grow is None else {"at": _parse_growth(options.grow)},
        "journey": None if options.audio is None else {"audio": options.audio},
        "wall": None if options.wall is None else {"kind": options.wall},
        "overlay": None if options.overlay is None else {"picture": options.overlay},
        "colouring": _colouring_fields(options),
    }
    if options.size is not None:
        fields["width"], fields["height"] = parse_size(options.size)
    if options.seed is None and options.recipe is None:
        fields["seed"] = secrets.randbelow(LARGEST_DRAWN_SEED + 1)
    return {name: value for name, value in fields.items() if value is not None}


def _colouring_fields(options: Options) -> dict[str, Any] | None:
    if options.lookup is None and options.colours_of is None:
        return None
    return {"lookup": options.lookup or "", "picture": options.colours_of or ""}


def _parse_growth(text: str) -> tuple[float, ...]:
    parts = [] if text == "never" else text.split(",")
    try:
        return tuple(map(float, parts))
    except ValueError:
        raise RecipeError(
            "“{text}” does not say when to enlarge: write fractions of the steps, such as 0.9 or 0.5,0.85, "
            "or never.",
            text=text,
        ) from None


def _model_fields(options: Options) -> dict[str, Any]:
    """The fields ``model`` and ``config``; paths of own checkpoints are made absolute."""
    if options.model is None:
        return {"config": options.config and str(expand(options.config).absolute())}
    own = Path(options.model).suffix in CHECKPOINTS
    return {
        "model": str(expand(options.model).absolute()) if own else options.model,
        "config": str(expand(options.config).absolute()) if options.config else "",
    }


def _init_fields(options: Options) -> dict[str, Any] | None:
    start = {}
    if options.init is not None:  # the mask of a repeated recipe belongs to its own initial picture
        start = {**parse_init(options.init), "mask": "", "extend": ""}
    if options.sketcher is not None:
        start["sketch"] = {"model": options.sketcher}
    if options.strength is not None:
        start["strength"] = options.strength
    if options.mask is not None:
        start |= {"mask": options.mask, "extend": ""}
    if options.extend is not None:
        start |= {"extend": options.extend} if options.mask else {"extend": options.extend, "mask": ""}
    return start or None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in ``Model`` or ``Model | None``."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
