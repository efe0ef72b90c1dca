"""The recipe: every setting that affects the picture, as one frozen, validated value.

Presets, metadata of pictures, API bodies and cells of a grid all hold this JSON. The same recipe on the same
machine gives the same picture.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationError, model_validator

from pixgen.errors import InvalidValue, RecipeError
from pixgen.losses import Losses
from pixgen.recipe.base import (
    VERSION,
    Value,
    describe_validation,
    merge,
    read_partial,
    setting,
    with_current_names,
)
from pixgen.recipe.cutouts import Cutouts
from pixgen.recipe.drawers import (
    DRAWERS,
    DrawerKind,
    DrawerName,
    Fourier,
    Lines,
    Multires,
    Pixels,
    drawers_that,
)
from pixgen.recipe.effects.expressions import SILENCE, uses_sound
from pixgen.recipe.effects.filters import Colouring, Overlay, Wall
from pixgen.recipe.init import Init
from pixgen.recipe.journey import Journey
from pixgen.recipe.prompts import (
    LONGEST_TEXT,
    Prompt,
    Scene,
    format_prompts,
    parse,
    replace_texts,
    texts_of,
)
from pixgen.recipe.settings import ClipChoice, Engine, Growth, Optimizer
from pixgen.recipe.story import Story
from pixgen.translation import needs_english, translate_all

SMALLEST_SIDE, LARGEST_SIDE = 32, 2048
MOST_STEPS = 20_000
LARGEST_SEED = 2**63 - 1
MOST_CLIPS = 6


def _read_scenes(value: Any) -> Any:
    if isinstance(value, str):
        return parse(value)
    return value


Scenes = Annotated[
    tuple[Annotated[tuple[Prompt, ...], Field(min_length=1)], ...],
    BeforeValidator(_read_scenes),
    Field(min_length=1, max_length=100),
]


def _read_pairs(value: Any) -> Any:
    return tuple(value.items()) if isinstance(value, Mapping) else value


def _without_repetitions(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(dict(pairs).items())


# Texts with their English: an object in JSON, pairs here, so that a recipe can be hashed.
Translations = Annotated[
    tuple[
        tuple[
            Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)],
            Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)],
        ],
        ...,
    ],
    BeforeValidator(_read_pairs),
    AfterValidator(_without_repetitions),
    PlainSerializer(dict, return_type=dict[str, str]),
    Field(max_length=1000),
]


class Change(Value):
    """An edit made while painting, which takes effect before ``step``."""

    step: Annotated[int, Field(ge=0)]
    prompts: Scenes | None = None
    learning_rate: Annotated[float, Field(gt=0, le=10)] | None = None
    translations: Translations = ()  # of the texts of ``prompts``


class Recipe(Value):
    """Everything that decides a picture: prompts, size, steps, seed, models and settings."""

    # 1: of pixgen 0.1, whose augmentations were sampled without kornia; such a recipe paints what it painted.
    version: Literal[1, 2] = VERSION
    prompts: Scenes
    translations: Annotated[
        Translations,
        setting("Translations", "The English that the models read for prompts in other languages."),
    ] = ()
    width: Annotated[int, setting("Width", "In pixels.", low=SMALLEST_SIDE, high=LARGEST_SIDE, step=1)] = 128
    height: Annotated[int, setting("Height", "In pixels.", low=SMALLEST_SIDE, high=LARGEST_SIDE, step=1)] = (
        128
    )
    steps: Annotated[
        int, setting("Steps", "More steps give finer detail and take longer.", low=0, high=MOST_STEPS, step=1)
    ] = 150
    # The totals before it was extended: schedules at a step follow the smallest total beyond that step, so
    # that the extended recipe repeats the pixels of the original.
    earlier_steps: tuple[Annotated[int, Field(ge=0, le=MOST_STEPS)], ...] = ()
    seed: Annotated[
        int,
        setting("Seed", "The same seed paints the same picture.", low=0, high=LARGEST_SEED, step=1),
    ] = 0
    preset: Annotated[str, Field(max_length=100)] = ""  # for information only
    drawer: Annotated[
        DrawerName,
        setting("Drawing method", choices={name: kind.title for name, kind in DRAWERS.items()}),
    ] = "vqgan"
    pixels: Pixels = Pixels()  # each drawer's settings
    fourier: Fourier = Fourier()
    multires: Multires = Multires()
    lines: Lines = Lines()
    model: Annotated[
        str,
        setting(
            "Image model",
            "The VQGAN that decodes the picture: a model's name, or the path of a checkpoint.",
            min_length=1,
            max_length=4096,
        ),
    ] = "pocket"
    config: Annotated[
        str,
        setting("Config", "The config of a checkpoint, if it is not beside it.", max_length=4096),
    ] = ""
    clip: Annotated[
        tuple[str | ClipChoice, ...],
        setting(
            "Guidance model (CLIP)",
            "Several CLIPs can guide the picture together.",
            min_length=1,
            max_length=MOST_CLIPS,
        ),
    ] = ("pocket",)
    init: Init = Init()
    cutouts: Cutouts = Cutouts()
    losses: Losses = Losses()
    optimizer: Optimizer = Optimizer()
    grow: Growth = Growth()
    average: Annotated[
        float,
        setting(
            "Average", "Show a moving average of the latent with this decay; 0: off.", low=0, lt=1, step=0.01
        ),
    ] = 0.0
    precision: Annotated[
        Literal["float32", "bfloat16", "float16", "auto"],
        setting(
            "Precision",
            "auto: bfloat16 if the device computes in it natively, else float32; the picture's recipe "
            "records which.",
        ),
    ] = "float32"
    engine: Engine = Engine()
    story: Story = Story()
    journey: Journey = Journey()
    wall: Wall = Wall()
    overlay: Overlay = Overlay()
    colouring: Colouring = Colouring()
    changes: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _goes_together(self) -> "Recipe":
        self.story.check(self)
        self.journey.check(self)
        if self.init.masked and not self.drawer_kind.can_mask:
            raise InvalidValue(
                "only the drawing method {drawers} can repaint part of a picture",
                drawers=drawers_that("can_mask"),
            )
        self.growth.check(self, smallest=SMALLEST_SIDE)
        if self.follows_sound and not self.journey.audio:
            raise InvalidValue(
                "an expression follows the sound, but there is none: add a sound file (--audio song.mp3)"
            )
        return self

    @property
    def growth(self) -> Growth:
        """How the canvas grows to this size. With a smallest start, as in presets, it does not grow if the
        drawer, a journey or sketched scenes need one size."""
        keeps = not self.drawer_kind.can_grow or self.journey.moving or self.story.sketch
        return Growth() if self.grow.smallest and keeps else self.grow.for_size(self.width, self.height)

    @property
    def drawer_kind(self) -> DrawerKind:
        """The capabilities of its drawer."""
        return DRAWERS[self.drawer]

    @property
    def prompt(self) -> str:
        """The prompts in the grammar that a person types."""
        return format_prompts(self.prompts)

    @property
    def title(self) -> str:
        """The prompts for display: pictures and regions by file name, without folders."""
        return format_prompts(
            tuple(tuple(prompt.with_bare_names() for prompt in scene) for scene in self.prompts)
        )

    def canvas(self, stage: int) -> tuple[int, int]:
        """Width and height of the canvas, in pixels, after it has grown ``stage`` times."""
        return self.growth.side(self.width, stage), self.growth.side(self.height, stage)

    @property
    def clip_names(self) -> tuple[str, ...]:
        """The names of the CLIPs that guide the picture."""
        return tuple(each.name if isinstance(each, ClipChoice) else each for each in self.clip)

    @property
    def clip_weights(self) -> tuple[float, ...]:
        """The weight of each CLIP."""
        return tuple(each.weight if isinstance(each, ClipChoice) else 1.0 for each in self.clip)

    @property
    def first_scene(self) -> Scene:
        """The prompts of step 0, which the initial picture is made for; later edits do not affect it."""
        (scene,) = replace_texts((_prompts_at(0, self.prompts[0]),), dict(self.translations))
        return scene

    @property
    def positive_prompts(self) -> Scene:
        """The prompts of the first scene with a positive weight, which describe something."""
        return tuple(prompt for prompt in self.first_scene if prompt.weight > 0 and prompt.noise is None)

    @property
    def positive_texts(self) -> list[str]:
        """The texts of the positive prompts; pictures have none."""
        return [prompt.text for prompt in self.positive_prompts if prompt.text]

    def scenes(self, step: int) -> tuple[Scene, ...]:
        """The scenes that apply at a step: the recipe's, or those of the latest edit."""
        scenes = self.prompts
        for change in self.changes:
            if change.prompts is not None and change.step <= step:
                scenes = change.prompts
        return scenes

    @property
    def clip_shares(self) -> tuple[float, ...]:
        """The fraction of the cutouts that each CLIP sees, in (0, 1]."""
        seen = [each.cutouts if isinstance(each, ClipChoice) else None for each in self.clip]
        return tuple(1.0 if count is None else min(1.0, count / self.cutouts.count) for count in seen)

    def scene(self, step: int) -> Scene:
        """The prompts that apply at a step: its scene's, or the next scene's from the middle of the
        transition on. Steps that were added later belong to the last scene."""
        now, then, part = self.transition(step)
        return now if part < 0.5 else then

    def transition(self, step: int, sound: Mapping[str, float] = SILENCE) -> tuple[Scene, Scene, float]:
        """The prompts of a step's scene, those of the next scene, and the progress of the transition between
        them, in [0, 1); at 0 both are the same.

        Args:
            sound: the levels of the sound at the step, which weights may follow.
        """
        scenes, (index, part) = self.scenes(step), self.scene_at(step)
        moment = replace(self.journey.moment(step), sound=sound)
        near = tuple(
            tuple(prompt.at(moment) for prompt in _prompts_at(step, scenes[number]))
            for number in (index, index + (part > 0))
        )
        now, then = replace_texts(near, self.translations_at(step))
        return now, then, part

    def translations_at(self, step: int) -> dict[str, str]:
        """The translations of its prompts and of the edits up to a step."""
        edits = (change.translations for change in self.changes if change.step <= step)
        return dict(pair for pairs in (self.translations, *edits) for pair in pairs)

    def with_change(
        self,
        step: int,
        *,
        prompts: tuple[Scene, ...] | None = None,
        learning_rate: float | None = None,
        translations: Mapping[str, str] | None = None,
    ) -> "Recipe":
        """The recipe with an edit that takes effect before a step.

        Args:
            translations: of the prompts' texts; by default, new texts are translated where the CLIPs need it.
        """
        if translations is None and prompts and needs_english(self.clip_names):
            known = texts_of(self.scenes(step))
            translations = translate_all(text for text in texts_of(prompts) if text not in known)
        change = Change(
            step=step,
            prompts=prompts,
            learning_rate=learning_rate,
            translations=tuple((translations or {}).items()),
        )
        return self.model_copy(update={"changes": (*self.changes, change)})

    @property
    def first_steps(self) -> int:
        """The number of steps before the recipe was extended."""
        return min((*self.earlier_steps, self.steps))

    def stage(self, step: int) -> int:
        """How many times the canvas has grown before a step."""
        return self.growth.stage(step, self.first_steps)

    def scene_at(self, step: int) -> tuple[int, float]:
        """The index of a step's scene, and the progress of its transition into the next, in [0, 1)."""
        steps = self.first_steps
        return self.story.transition(step, scenes=len(self.scenes(step)), steps=steps)

    @property
    def needs_sketcher(self) -> bool:
        """Whether a sketch model is needed, for the initial picture or for the scenes of a story."""
        return self.init.needs_sketcher or (self.story.sketch and len(self.prompts) > 1)

    @property
    def follows_sound(self) -> bool:
        """Whether anything in it depends on the sound."""
        edited = [change.prompts for change in self.changes if change.prompts is not None]
        texts = [
            prompt.weight_expression
            for scenes in (self.prompts, *edited)
            for scene in scenes
            for prompt in scene
            if prompt.weight_expression
        ]
        if isinstance(self.optimizer.factor, str):
            texts.append(self.optimizer.factor)
        return self.journey.follows_sound or any(map(uses_sound, texts))

    def learning_rate(self, step: int) -> float:
        """The learning rate at a step, before the schedule: the optimizer's, or that of the latest edit."""
        rate = self.optimizer.learning_rate
        for change in self.changes:
            if change.learning_rate is not None and change.step <= step:
                rate = change.learning_rate
        return rate

    def progress(self, step: int) -> float:
        """The progress through the steps, in [0, 1], by the total that applied when this step was painted."""
        totals = [total for total in (*self.earlier_steps, self.steps) if total > step]
        return step / max(1, min(totals, default=self.steps))

    def with_more_steps(self, steps: int) -> "Recipe":
        """Extend the recipe to ``steps`` in total; the first steps give the same pixels. Raises RecipeError."""
        varied = any(len(scenes) > 1 for scenes in (self.prompts, *self._changed_prompts()))
        ends_early = bool(self.overlay.picture) and self.overlay.until < 1
        depends = varied or ends_early or bool(self.growth.at) or self.optimizer.schedule != "constant"
        # A recipe of 0 steps keeps its sketch as it is, but its canvas may have grown.
        begun = self.steps > 0 or bool(self.growth.at)
        earlier = (self.steps,) if depends and begun and self.steps < steps else ()
        return make_recipe(
            self.model_dump(), {"steps": steps, "earlier_steps": (*self.earlier_steps, *earlier)}
        )

    def _changed_prompts(self) -> tuple[tuple[Scene, ...], ...]:
        return tuple(change.prompts for change in self.changes if change.prompts is not None)

    def to_json(self) -> str:
        """The recipe as one line of JSON: its version, and the fields that do not have their default value."""
        fields = {"version": self.version} | self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(fields, ensure_ascii=False)


def _prompts_at(step: int, scene: Scene) -> Scene:
    """The prompts of a scene whose range of steps includes a step."""
    return tuple(
        prompt
        for prompt in scene
        if prompt.first_step <= step and (prompt.last_step is None or step <= prompt.last_step)
    )


def make_recipe(*parts: Mapping[str, Any]) -> Recipe:
    """Merge partial recipes, later ones overriding earlier ones field by field, and validate the result.

    Fields may have their names of earlier versions. Raises RecipeError, which names the field, what is
    allowed and what was given.
    """
    merged: dict[str, Any] = {}
    for part in parts:
        merge(merged, with_current_names(part))
    try:
        return Recipe.model_validate(merged)
    except ValidationError as error:
        if any(each["type"] == "missing" and each["loc"] == ("prompts",) for each in error.errors()):
            raise RecipeError("The prompt is empty: say what to paint, for example “a red fox”.") from error
        unknown = [each for each in error.errors() if each["type"] == "extra_forbidden"]
        if unknown:
            name = ".".join(str(part) for part in unknown[0]["loc"])
            raise RecipeError(
                "This version of pixgen does not know the recipe's field “{name}”: the recipe may come "
                "from a newer version.",
                name=name[:60],
            ) from error
        raise RecipeError(
            "This recipe is not allowed: {reason}.", reason=describe_validation(error)
        ) from error


def read_recipe(text: str) -> Recipe:
    """Read a stored recipe from JSON; one without a version is of version 1. Raises RecipeError, also if a newer
    version of pixgen wrote it."""
    value = {"version": 1} | read_partial(text)
    version = value["version"]
    if type(version) is not int:
        raise RecipeError(
            "The version of a recipe is a whole number, not {version}.", version=repr(version)[:40]
        )
    if version > VERSION:
        raise RecipeError(
            "This recipe has version {version} and was written by a newer pixgen; this one reads up to "
            "version {known}. Update pixgen to use it.",
            version=version,
            known=VERSION,
        )
    return make_recipe(value)
