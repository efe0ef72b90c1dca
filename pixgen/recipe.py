"""The recipe: everything that decides a picture, and nothing that only watches it.

The same JSON is a preset's content, a file's metadata, an API body and a sweep's cell. Same recipe,
same machine: same picture.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pixgen.augmentations import CUTOUT_SETS, CutoutSet
from pixgen.drawing import DRAWERS, Fourier, Lines, Multires, Pixels
from pixgen.engine import Engine
from pixgen.errors import RecipeError
from pixgen.growing import Growth
from pixgen.journeys import Journey
from pixgen.losses import Losses
from pixgen.prompts import Prompt, Scene, format_prompts, parse, why
from pixgen.story import Story

SMALLEST_SIDE, LARGEST_SIDE = 32, 2048
MOST_STEPS = 20_000
LARGEST_SEED = 2**63 - 1
OPTIMIZERS = ("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adagrad", "RMSprop", "SGD")


def _terms(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    scenes = parse(value) if value.strip() else ((),)
    if len(scenes) > 1:
        raise ValueError("an idea has one scene: write its parts with |, not with ^")
    return scenes[0]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sketch(_Value):
    """How the sketcher writes a start: several candidates, of which CLIP picks one."""

    model: Annotated[str, Field(min_length=1, max_length=4096)] = "pocket"
    candidates: Annotated[int, Field(ge=1, le=64)] = 8
    pick: Annotated[int, Field(ge=0, le=63)] = 0  # 0 is the one that CLIP likes best
    temperature: Annotated[float, Field(ge=0, le=4)] = 0.7
    top_k: Annotated[int, Field(ge=1, le=1 << 20)] = 256
    guidance: Annotated[float, Field(ge=0, le=20)] = 3.0
    looks: Annotated[float, Field(ge=0, le=5)] = 0.4  # how strictly things look as the words do

    @model_validator(mode="after")
    def _one_of_them(self) -> "Sketch":
        if self.pick >= self.candidates:
            raise ValueError(f"pick must be below the number of candidates, {self.candidates}")
        return self


class Start(_Value):
    """What the canvas shows before the first step."""

    kind: Literal[
        "codes", "perlin", "gradient", "snow", "grey", "picture", "sketch", "idea", "video"
    ] = "codes"  # fmt: skip
    picture: Annotated[str, Field(max_length=4096)] = ""  # a path, with kind "picture"
    fit: Literal["cover", "contain", "stretch"] = "cover"
    strength: Annotated[float, Field(ge=0, le=1)] = 0.0  # how far from the picture; 1 is all chance
    # With kind "picture", to paint only a part of it anew: a mask's path, white where to paint, or the
    # side to which the canvas goes on beyond the picture; and what stands there at first.
    mask: Annotated[str, Field(max_length=4096)] = ""
    extend: Literal["", "left", "right", "top", "bottom"] = ""
    fill: Literal["sketch", "codes", "picture"] = "sketch"
    # With kind "idea": texts and pictures whose CLIP vectors are added up by weight, and sketched.
    idea: Annotated[tuple[Prompt, ...], BeforeValidator(_terms)] = ()
    sketch: Sketch = Sketch()

    @model_validator(mode="after")
    def _complete(self) -> "Start":
        if (self.kind == "picture") != bool(self.picture):
            raise ValueError(
                'a start of kind "picture" needs the path of a picture, and no other has one'
            )
        if (self.kind == "idea") != bool(self.idea):
            raise ValueError(
                'a start of kind "idea" needs texts or pictures, and no other has them'
            )
        if self.strength and self.kind != "picture":
            raise ValueError('a strength goes with a start of kind "picture"')
        if self.mask and self.extend:
            raise ValueError("a picture is either painted anew under a mask, or extended to a side")
        if self.masked and self.kind != "picture":
            raise ValueError('a mask, or a side to extend to, goes with a start of kind "picture"')
        return self

    @property
    def masked(self) -> bool:
        """Whether only a part of a picture is painted anew."""
        return bool(self.mask or self.extend)

    @property
    def sketched(self) -> bool:
        """Whether a sketcher writes it."""
        return self.kind in ("sketch", "idea") or (self.masked and self.fill == "sketch")


class Cutouts(_Value):
    """How many cutouts CLIP sees a step, in how many batches, and of which set."""

    count: Annotated[int, Field(ge=1, le=512)] = 12
    batches: Annotated[int, Field(ge=1, le=64)] = 1  # more: less memory, same gradient
    kind: str = "gentle"  # a name in CUTOUT_SETS, or "own" with ``own`` given
    own: CutoutSet | None = None

    @model_validator(mode="after")
    def _known(self) -> "Cutouts":
        if self.own is None and self.kind not in CUTOUT_SETS:
            raise ValueError(f"kind must be one of {', '.join(CUTOUT_SETS)}")
        return self

    @property
    def set(self) -> CutoutSet:
        """The crops and augmentations themselves."""
        return self.own or CUTOUT_SETS[self.kind]


class Eye(_Value):
    """One of several CLIPs that look together, and how much it counts."""

    name: Annotated[str, Field(min_length=1, max_length=4096)]
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    cutouts: Annotated[int | None, Field(ge=1, le=512)] = None  # how many it sees; by default all


class Optimizer(_Value):
    """Which of torch's optimizers moves the latent, and how fast."""

    name: Literal[OPTIMIZERS] = "Adam"
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 0.1
    schedule: Literal["constant", "drop", "cosine"] = "cosine"
    drop_at: Annotated[float, Field(ge=0, le=1)] = 0.75  # the part of the steps, for "drop"
    floor: Annotated[float, Field(ge=0, le=1)] = (
        0.1  # the rate's factor after the drop, or at the end
    )


def _scenes(value: Any) -> Any:
    if isinstance(value, str):
        return parse(value)
    return value


Scenes = Annotated[
    tuple[Annotated[tuple[Prompt, ...], Field(min_length=1)], ...],
    BeforeValidator(_scenes),
    Field(min_length=1, max_length=100),
]


class Change(_Value):
    """A change made while painting, before the step it names."""

    step: Annotated[int, Field(ge=0)]
    prompts: Scenes | None = None
    learning_rate: Annotated[float, Field(gt=0, le=10)] | None = None


class Recipe(_Value):
    """A picture, before it is painted."""

    version: Literal[1] = 1
    prompts: Scenes
    width: Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE)] = 128
    height: Annotated[int, Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE)] = 128
    steps: Annotated[int, Field(ge=0, le=MOST_STEPS)] = 150
    # The totals that it was painted for before it was given more steps: a step goes by the first total
    # beyond it, so that the longer recipe paints the same pixels anew.
    earlier_steps: tuple[Annotated[int, Field(ge=0, le=MOST_STEPS)], ...] = ()
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] = 0
    preset: Annotated[str, Field(max_length=100)] = ""  # where it came from; decides nothing
    drawer: Literal[DRAWERS] = "vqgan"
    pixels: Pixels = Pixels()  # each drawer's settings
    fourier: Fourier = Fourier()
    multires: Multires = Multires()
    lines: Lines = Lines()
    model: Annotated[str, Field(min_length=1, max_length=4096)] = "pocket"
    config: Annotated[str, Field(max_length=4096)] = ""  # of an own checkpoint, where not beside it
    clip: Annotated[tuple[str | Eye, ...], Field(min_length=1, max_length=6)] = ("pocket",)
    start: Start = Start()
    cutouts: Cutouts = Cutouts()
    losses: Losses = Losses()
    optimizer: Optimizer = Optimizer()
    grow: Growth = Growth()
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of the latent, for display; 0 is off
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    engine: Engine = Engine()
    story: Story = Story()
    journey: Journey = Journey()
    changes: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _story_has_its_scenes(self) -> "Recipe":
        for name in ("starts", "easings"):
            count = len(getattr(self.story, name))
            if count not in (0, len(self.prompts)):
                raise ValueError(
                    f"story.{name} has {count} values, and there are {len(self.prompts)} scenes"
                )
        return self

    @model_validator(mode="after")
    def _journey_can_be_made(self) -> "Recipe":
        journey = self.journey
        if (self.start.kind == "video") != bool(journey.video):
            raise ValueError(
                'a journey over a video has a start of kind "video", and no other has one'
            )
        if self.grow.at and (journey.moving or self.story.sketch):
            raise ValueError(
                "a journey, and a story whose scenes have sketches, keep one size: they go with no grow"
            )
        if not journey.moving:
            return self
        if self.drawer == "lines":
            raise ValueError("a journey cannot be drawn by lines: choose another drawer")
        if self.drawer != "vqgan" and (journey.where == "latent" or journey.video):
            raise ValueError(
                "a video, and a journey in the latent, are drawn by the drawer vqgan only"
            )
        if self.start.masked:
            raise ValueError(
                "a journey leaves nothing where it was: it goes with no mask and no side"
            )
        if self.average:
            raise ValueError("a journey is calmed by journey.smooth, and goes with no average")
        if journey.after > self.steps:
            raise ValueError(
                f"the journey begins after {journey.after} steps, and there are {self.steps}"
            )
        return self

    @model_validator(mode="after")
    def _masked_by_vqgan(self) -> "Recipe":
        if self.start.masked and self.drawer != "vqgan":
            raise ValueError("a part of a picture can be painted anew by the drawer vqgan only")
        return self

    @model_validator(mode="after")
    def _grows_from_something(self) -> "Recipe":
        if not self.grow.at:
            return self
        if self.drawer != "vqgan":
            raise ValueError("a picture grows while it is painted with the drawer vqgan only")
        least = min(self.canvas(0))
        if least < SMALLEST_SIDE:
            raise ValueError(
                f"growing {len(self.grow.at)} times by {self.grow.by:g}, the picture would begin with {least} "
                f"pixels a side, and needs {SMALLEST_SIDE}: give a larger size, or let it grow less often"
            )
        return self

    @property
    def prompt(self) -> str:
        """The prompts in the grammar that a person types."""
        return format_prompts(self.prompts)

    def canvas(self, stage: int) -> tuple[int, int]:
        """Width and height of the canvas that has grown so often."""
        return self.grow.side(self.width, stage), self.grow.side(self.height, stage)

    @property
    def clip_names(self) -> tuple[str, ...]:
        """The names of the CLIPs that look."""
        return tuple(each.name if isinstance(each, Eye) else each for each in self.clip)

    @property
    def clip_weights(self) -> tuple[float, ...]:
        """How much each of them counts."""
        return tuple(each.weight if isinstance(each, Eye) else 1.0 for each in self.clip)

    @property
    def opening(self) -> Scene:
        """The prompts that the start is made for: no later change reaches back to it."""
        return _at(0, self.prompts[0])

    def scenes(self, step: int) -> tuple[Scene, ...]:
        """The scenes in force at a step: the recipe's own, or those of the latest change."""
        scenes = self.prompts
        for change in self.changes:
            if change.prompts is not None and change.step <= step:
                scenes = change.prompts
        return scenes

    @property
    def clip_shares(self) -> tuple[float, ...]:
        """Which part of the cutouts each of them sees, at most 1."""
        seen = [each.cutouts if isinstance(each, Eye) else None for each in self.clip]
        return tuple(
            1.0 if count is None else min(1.0, count / self.cutouts.count) for count in seen
        )

    def scene(self, step: int) -> Scene:
        """The prompts in force at a step: those of its scene, or of the next where it has passed into
        that by half. The last scene has the steps that were added later."""
        now, then, part = self.passage(step)
        return now if part < 0.5 else then

    def passage(self, step: int) -> tuple[Scene, Scene, float]:
        """The prompts of a step's scene, those of the next, and how far it has passed into that, in
        [0, 1); with 0 both are one."""
        scenes, (index, part) = self.scenes(step), self.place(step)
        return _at(step, scenes[index]), _at(step, scenes[index + (part > 0)]), part

    @property
    def first_steps(self) -> int:
        """The total that it was painted for at first."""
        return min((*self.earlier_steps, self.steps))

    def stage(self, step: int) -> int:
        """How often the canvas has grown when a step begins."""
        return self.grow.stage(step, self.first_steps)

    def place(self, step: int) -> tuple[int, float]:
        """The number of a step's scene, from 0, and how far it has passed into the next."""
        steps = self.first_steps
        return self.story.passage(step, scenes=len(self.scenes(step)), steps=steps)

    @property
    def sketched(self) -> bool:
        """Whether a sketcher writes anything: the start, or the scenes of a story."""
        return self.start.sketched or (self.story.sketch and len(self.prompts) > 1)

    def learning_rate(self, step: int) -> float:
        """The rate in force at a step, before the schedule: the optimizer's, or the latest change's."""
        rate = self.optimizer.learning_rate
        for change in self.changes:
            if change.learning_rate is not None and change.step <= step:
                rate = change.learning_rate
        return rate

    def part(self, step: int) -> float:
        """How much of the steps that it was painted for at this step is behind it, in [0, 1]."""
        totals = [total for total in (*self.earlier_steps, self.steps) if total > step]
        return step / max(1, min(totals, default=self.steps))

    def longer(self, steps: int) -> "Recipe":
        """The recipe with more steps: the first ones stay what they are. Raises RecipeError."""
        varied = any(len(scenes) > 1 for scenes in (self.prompts, *self._changed_prompts()))
        depends = varied or bool(self.grow.at) or self.optimizer.schedule != "constant"
        # A sketch that was kept as it is has passed through no steps, but may have grown.
        begun = self.steps > 0 or bool(self.grow.at)
        earlier = (self.steps,) if depends and begun and self.steps < steps else ()
        return make_recipe(
            self.model_dump(), {"steps": steps, "earlier_steps": (*self.earlier_steps, *earlier)}
        )

    def _changed_prompts(self) -> tuple[tuple[Scene, ...], ...]:
        return tuple(change.prompts for change in self.changes if change.prompts is not None)

    def to_json(self) -> str:
        """The recipe as one line of JSON, without what has its default value."""
        return json.dumps(self.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)


def _at(step: int, scene: Scene) -> Scene:
    """The prompts of a scene that hold at a step."""
    return tuple(
        prompt for prompt in scene
        if prompt.first_step <= step and (prompt.last_step is None or step <= prompt.last_step)
    )  # fmt: skip


def make_recipe(*parts: Mapping[str, Any]) -> Recipe:
    """A recipe from partial ones, later parts winning, nested objects merged field by field.

    Raises RecipeError, which names the field, what is allowed and what was given.
    """
    merged: dict[str, Any] = {}
    for part in parts:
        _merge(merged, part)
    try:
        return Recipe.model_validate(merged)
    except ValidationError as error:
        if any(
            each["type"] == "missing" and each["loc"] == ("prompts",) for each in error.errors()
        ):
            raise RecipeError(
                "The prompt is empty: say what to paint, for example “a red fox”."
            ) from error
        unknown = [each for each in error.errors() if each["type"] == "extra_forbidden"]
        if unknown:
            name = ".".join(str(part) for part in unknown[0]["loc"])
            raise RecipeError(
                f"A recipe has no field “{name[:60]}” in this pixgen: it may come from a newer one."
            ) from error
        raise RecipeError(f"This recipe is not allowed: {why(error)}.") from error


def read_recipe(text: str) -> Recipe:
    """A recipe from its JSON. Raises RecipeError, also if a newer pixgen wrote it."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise RecipeError(
            f"This is not a recipe: its JSON breaks off at line {error.lineno}."
        ) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # a number of thousands of digits, or far too deep
        raise RecipeError("This is not a recipe: its JSON is far too large.") from error
    if not isinstance(value, dict):
        raise RecipeError("This is not a recipe: a JSON object is expected.")
    version, known = value.get("version"), Recipe.model_fields["version"].default
    if isinstance(version, int) and version > known:
        raise RecipeError(
            f"This recipe was written by a newer pixgen: it is of version {version}, and this one reads up "
            f"to {known}. Update pixgen to use it."
        )
    return make_recipe(value)


def set_field(recipe: dict[str, Any], assignment: str) -> None:
    """Apply ``key.path=value`` to a partial recipe in place; the value is JSON, else text."""
    key, equals, value = assignment.partition("=")
    if not equals or not key.strip():
        raise RecipeError(
            f"“{assignment}” is not of the form key=value, for example cutouts.count=16."
        )
    *path, last = key.strip().split(".")
    for part in path:
        recipe = recipe.setdefault(part, {})
        if not isinstance(recipe, dict):
            raise RecipeError(f"“{key}” does not name a field of a recipe.")
    try:
        recipe[last] = json.loads(value)
    except json.JSONDecodeError:
        recipe[last] = value


def _merge(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, Mapping):
            known = into.get(key)
            into[key] = dict(known) if isinstance(known, Mapping) else {}
            _merge(into[key], value)
        else:
            into[key] = value
