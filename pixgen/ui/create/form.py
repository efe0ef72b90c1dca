"""The Create tab's form: its fields, the values that a person fills in, and what each preset sets them to.

Browsers keep the values by the names of the fields, so a name never changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from dataclasses import fields as fields_of
from operator import attrgetter
from typing import Any

from pixgen.losses import Losses
from pixgen.models.catalog import Kind, find_entry
from pixgen.models.registry import list_models, state_of
from pixgen.recipe.base import find_setting, settings_of
from pixgen.recipe.cutouts import CUTOUT_SETS
from pixgen.recipe.drawers import DRAWERS
from pixgen.recipe.init import INIT_KINDS
from pixgen.recipe.journey import CURVES, format_keyframes
from pixgen.recipe.presets import DEFAULT, Preset, available_presets
from pixgen.recipe.recipe import Recipe, make_recipe
from pixgen.studio.policy import Policy
from pixgen.ui.components import Field, setting_field

LONGEST_BASE = 200_000  # characters of a base recipe that a browser stores
LONGEST_STYLES = 50_000  # characters of the styles that it stores
LONGEST_AUGMENTATION = 300  # characters

DRAWN, LAST = "drawn", "last"  # starting points that only the page has
STARTS = (*(name for name, kind in INIT_KINDS.items() if kind.title), DRAWN, LAST)
LOSS_PICTURE = "wished_picture"  # the upload for colours and style
REGION_NUMBERS = tuple(range(1, 9))  # of the prompts that a moving region can be chosen for
JOURNEY_INPUTS = ("story_rows", "video", "sound")  # inputs that a browser does not store
MOST_AT_ONCE = 8  # pictures that one press paints
_MOST_FRAMES = 400
_KEYFRAMES = tuple(CURVES)
JOURNEY_NAMES = ("every", "after", *_KEYFRAMES, "where", "border", "smooth")
_SIZES = (
    (128, 128), (192, 128), (128, 192), (192, 192), (256, 256), (384, 256), (256, 384), (512, 512),
)  # fmt: skip


def _loss_name(path: str) -> str:
    """The form's name of a loss setting: ``symmetry`` for ``symmetry.weight``, ``symmetry_kind`` for its kind."""
    return path.removesuffix(".weight").replace(".", "_")


LOSS_SETTINGS = {_loss_name(each.path): each for each in settings_of(Losses)}
_JOURNEY_PATHS = {
    **{name: f"story.{name}" for name in ("fade", "blend")},
    **{name: f"journey.{name}" for name in (*JOURNEY_NAMES, "carry")},
}

# Settings beside the main ones, by the form's names.
_EFFECT_PATHS = {
    "rate_factor": "optimizer.factor",
    "smooth_fps": "journey.smooth_fps",
    "wall_kind": "wall.kind",
    "wall_seams": "wall.seams",
    "overlay_every": "overlay.every",
    "overlay_alpha": "overlay.alpha",
    "overlay_until": "overlay.until",
    "colour_strength": "colouring.strength",
    "cell_shape": "pixels.shape",
    "cell_size": "pixels.size",
}
# Uploads for effects, by the form's names, and where a recipe has their paths.
EFFECT_UPLOADS = {
    "overlay_picture": "overlay.picture",
    "colours_picture": "colouring.picture",
    "lookup_file": "colouring.lookup",
    "depth_picture": "journey.depth",
}
# All uploads, by the form's names: those of pictures first.
PICTURE_UPLOADS = (
    "start_picture", "pictures", LOSS_PICTURE, "overlay_picture", "colours_picture", "depth_picture",
)  # fmt: skip
UPLOADS = (*PICTURE_UPLOADS, "lookup_file", "video", "sound", "region_video")
EFFECT_SETTINGS = {name: find_setting(Recipe, path) for name, path in _EFFECT_PATHS.items()}
JOURNEY_SETTINGS = {name: find_setting(Recipe, path) for name, path in _JOURNEY_PATHS.items()}
CURVE_FIELDS = (*_KEYFRAMES, "rate_factor")  # that hold keyframes or an expression
_GATHERED = {
    "losses": LOSS_SETTINGS,
    "effects": EFFECT_SETTINGS,
}  # fields of a form that hold settings by name
_GROUPS = (
    ("prompt", "leave_out"),
    ("frames", *JOURNEY_NAMES),
)  # fields that only make sense together


@dataclass(frozen=True, kw_only=True)
class CreateForm:
    """The values that a person has filled in; None where the preset or the base recipe decides."""

    prompt: str | None = None
    leave_out: str | None = None
    styles: str | None = None  # JSON, as panels/styles.py writes it
    preset: str | None = None
    size: str | None = None
    count: int | None = None  # pictures, each with the next seed
    seed: str | None = None  # empty: a new one
    drawer: str | None = None
    steps: int | None = None
    cutouts: int | None = None
    cutout_set: str | None = None
    learning_rate: float | None = None
    grow: str | None = None
    augment: Sequence[str] | None = None  # as on the command line
    model: str | None = None
    clip: Sequence[str] | None = None
    sketcher: str | None = None
    start: str | None = None
    idea_words: str | None = None
    start_picture: str | None = None  # uploads are paths
    start_strength: float | None = None
    start_fit: str | None = None
    start_extend: str | None = None
    pictures: Sequence[str] | None = None
    pictures_weight: float | None = None
    fade: float | None = None
    blend: str | None = None
    frames: int | None = None
    every: int | None = None
    after: int | None = None
    zoom: str | None = None
    x: str | None = None
    y: str | None = None
    turn: str | None = None
    where: str | None = None
    border: str | None = None
    smooth: float | None = None
    carry: float | None = None
    story_rows: str | Sequence[Sequence[Any]] | None = None  # JSON, as scenes.js writes it, or rows
    video: str | None = None
    sound: str | None = None
    tilt: str | None = None
    pan: str | None = None
    dolly: str | None = None
    overlay_picture: str | None = None
    colours_picture: str | None = None
    lookup_file: str | None = None
    depth_picture: str | None = None
    effects: Mapping[str, Any] = field(default_factory=dict)  # by the names in EFFECT_SETTINGS
    losses: Mapping[str, Any] = field(default_factory=dict)  # by the names in LOSS_SETTINGS
    wished_picture: str | None = None
    metadata: bool | None = None
    drawn: str | None = None  # JSON, as pad.js writes it
    region_video: str | None = None
    region_prompt: int | None = None  # the number of the prompt that it is for, from 1
    mask: str | None = None  # a data: address
    basis: str | None = None  # JSON, as BaseRecipe writes it

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "CreateForm":
        """Make a form from values by field name; other names are ignored."""
        own = {each.name for each in fields_of(cls)} - _GATHERED.keys()
        gathered = {
            group: {name: value for name, value in values.items() if name in settings and value is not None}
            for group, settings in _GATHERED.items()
        }
        return cls(**{name: _as_int(value) for name, value in values.items() if name in own}, **gathered)

    def without(self, shown: "CreateForm") -> "CreateForm":
        """The form with None for each field that was not changed.

        The form does not show every setting of a recipe, so a field that was not changed must leave the
        recipe alone. Fields of one group all stay if one of them was changed.
        """
        untouched = {
            each.name
            for each in fields_of(self)
            if each.name not in _GATHERED and getattr(self, each.name) == getattr(shown, each.name)
        }
        for group in _GROUPS:
            if any(name not in untouched and getattr(self, name) is not None for name in group):
                untouched -= set(group)
        changed = {
            group: {
                name: value
                for name, value in getattr(self, group).items()
                if value != getattr(shown, group).get(name)
            }
            for group in _GATHERED
        }
        return replace(self, **changed, **dict.fromkeys(untouched))

    def given_values(self, *names: str) -> dict[str, Any]:
        """The named fields that are not None, by name."""
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value is not None}


def _as_int(value: object) -> Any:
    """Turn whole numbers into int: a slider sends 3.0 for 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def form_fields(policy: Policy) -> dict[str, Field]:
    """Every setting that a browser keeps, by name, in the page's order. Uploads are not kept."""
    preset = preset_values(DEFAULT)
    return {
        "prompt": Field(""),
        "leave_out": Field(""),
        "preset": Field(DEFAULT, choices=tuple(offered_presets(policy))),
        "size": Field(preset_size(DEFAULT) or ""),
        "count": Field(1, 1, min(MOST_AT_ONCE, policy.jobs_per_owner or MOST_AT_ONCE), 1),
        "seed": Field(""),
        "drawer": Field(preset["drawer"], choices=tuple(DRAWERS)),
        "steps": Field(preset["steps"], 1, policy.most_steps, 1),
        "cutouts": _setting_field("cutouts.count", preset["cutouts"]),
        "cutout_set": Field(preset["cutout_set"], choices=tuple(CUTOUT_SETS)),
        **augment_fields(),
        "learning_rate": _setting_field("optimizer.learning_rate", preset["learning_rate"]),
        "start": Field(preset["start"], choices=STARTS),
        "idea_words": Field(""),
        "region_prompt": Field(1, REGION_NUMBERS[0], REGION_NUMBERS[-1], 1),
        **start_fields(),
        "pictures_weight": Field(1, 0.1, 5, 0.1),
        **journey_fields(preset, policy.most_steps),
        **model_fields(preset, policy),
        **loss_fields(preset),
        **effect_fields(preset),
        "crisp": Field(False),
        "metadata": Field(True),
        **style_fields(),
        "basis": Field("", longest=LONGEST_BASE),
    }


def _setting_field(path: str, value: object) -> Field:
    return setting_field(find_setting(Recipe, path), value)


def preset_values(name: str) -> dict[str, Any]:
    """The values that a preset sets, by field."""
    return recipe_values(make_recipe({"prompts": "-"}, available_presets()[name].recipe))


def preset_size(name: str) -> str | None:
    """The size that a preset sets, as the form writes it; None if it sets none."""
    recipe = available_presets()[name].recipe
    return f"{recipe['width']}x{recipe['height']}" if "width" in recipe else None


def recipe_values(recipe: Recipe) -> dict[str, Any]:
    """A recipe's values of the fields that presets set."""
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
        **effect_values(recipe),
    }


def sizes(policy: Policy) -> list[tuple[str, str]]:
    """The sizes to choose from, as (label, value); others may be typed."""
    return [
        (f"{width} × {height}", f"{width}x{height}")
        for width, height in _SIZES
        if max(width, height) <= policy.largest_side
    ]


def offered_presets(policy: Policy) -> dict[str, Preset]:
    """The presets, by name, whose models are bundled or on this machine, and allowed: a click on one must not
    fetch gigabytes."""
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


def model_values(recipe: Recipe) -> dict[str, Any]:
    """The names of a recipe's models, by field."""
    return {
        "model": recipe.model,
        "clip": list(recipe.clip_names),
        "sketcher": recipe.init.sketch.model,
    }


def model_fields(preset: Mapping[str, Any], policy: Policy) -> dict[str, Field]:
    """The fields of the models: known names only, so that a visitor cannot choose a path or an address."""
    return {
        "model": Field(preset["model"], choices=model_names("vqgan", policy)),
        "clip": Field(preset["clip"], choices=model_names("clip", policy)),
        "sketcher": Field(preset["sketcher"], choices=model_names("sketcher", policy)),
    }


def model_names(kind: Kind, policy: Policy) -> tuple[str, ...]:
    """The names of the models of a kind that may be chosen."""
    found = [each.entry.name for each in list_models() if each.entry.kind == kind]
    return tuple(name for name in found if policy.models is None or name in policy.models)


def loss_values(losses: Losses) -> dict[str, Any]:
    """The values of a recipe's losses, by field."""
    values = {}
    for name, setting in LOSS_SETTINGS.items():
        value = attrgetter(setting.path)(losses)
        values[name] = ", ".join(value) if isinstance(value, tuple) else value
    return values


def loss_fields(preset: Mapping[str, Any]) -> dict[str, Field]:
    """The fields of the losses, by name, in the page's order."""
    return {name: setting_field(setting, preset[name]) for name, setting in LOSS_SETTINGS.items()}


def effect_values(recipe: Recipe) -> dict[str, Any]:
    """The values of a recipe's effects, by field."""
    values = {name: attrgetter(setting.path)(recipe) for name, setting in EFFECT_SETTINGS.items()}
    return {name: format_keyframes(values[name]) if name in CURVE_FIELDS else values[name] for name in values}


def effect_fields(preset: Mapping[str, Any]) -> dict[str, Field]:
    """The fields of the effects, by name, in the page's order."""
    return {name: setting_field(setting, preset[name]) for name, setting in EFFECT_SETTINGS.items()}


def journey_values(recipe: Recipe) -> dict[str, Any]:
    """The values of a recipe's story and journey, by field."""
    journey = recipe.journey
    return {
        "fade": recipe.story.fade,
        "blend": recipe.story.blend,
        "frames": journey.frames(recipe.steps),
        "every": journey.every or 3,
        "after": journey.after,
        **{name: format_keyframes(getattr(journey, name)) for name in _KEYFRAMES},
        "where": journey.where,
        "border": journey.border,
        "smooth": journey.smooth,
        "carry": journey.carry,
    }


def journey_fields(preset: Mapping[str, Any], most_steps: int) -> dict[str, Field]:
    """The fields of the story and the journey, by name, in the page's order."""
    fields = {}
    for name in journey_values(Recipe(prompts="-")):
        if name == "frames":
            fields[name] = Field(preset[name], 0, min(_MOST_FRAMES, most_steps), 1)
        else:
            fields[name] = setting_field(JOURNEY_SETTINGS[name], preset[name])
    after = fields["after"]
    return fields | {"after": replace(after, high=min(after.high or 0, most_steps))}


def start_fields() -> dict[str, Field]:
    """The fields of a starting point from a picture, by name."""
    return {
        "start_strength": Field(0, 0, 1, 0.05),
        "start_fit": Field("cover", choices=("cover", "contain", "stretch")),
        "start_extend": Field("no", choices=("no", "left", "right", "top", "bottom")),
        "grow": Field("never", choices=("never", "0.9", "0.5,0.85")),
    }


def augment_fields() -> dict[str, Field]:
    """The field of the list of augmentations."""
    return {"augment": Field([], longest=LONGEST_AUGMENTATION)}


def style_fields() -> dict[str, Field]:
    """The fields of the chosen styles and of the custom ones."""
    return {"styles": Field("", longest=LONGEST_STYLES), "own_styles": Field("", longest=LONGEST_STYLES)}
