"""The initial picture (``--init``) as settings: what the canvas shows before the first step.

``INIT_KINDS`` is the registry of what a picture can start from: a noise is a function and a line there.

Each kind of sketch model has its own sampling settings with defaults, and accepts its own conditioning.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pixgen.errors import InvalidValue, RecipeError
from pixgen.recipe.base import Value, setting
from pixgen.recipe.prompts import Prompt, Scene, parse

if TYPE_CHECKING:
    import torch

    from pixgen.recipe.recipe import Recipe


# Of each kind the settings that it has: the pocket's as `bench quality` judged them, and those of
# the demonstrations of dalle-mini, min-dalle and Karlo.
POCKET = {"temperature": 0.7, "top_k": 256, "guidance": 3.0, "looks": 0.4}
DALLE = {"temperature": 1.0, "top_k": 256, "guidance": 10.0}
UNCLIP = {"guidance": 8.0}
_SETTINGS = ("temperature", "top_k", "guidance", "looks")


def _read_terms(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    scenes = parse(value) if value.strip() else ((),)
    if len(scenes) > 1:
        raise InvalidValue("an idea is a single scene: separate its prompts with |, not with ^")
    return scenes[0]


class Sketch(Value):
    """How a sketch model samples the initial picture: several candidates, ranked by CLIP."""

    model: Annotated[
        str,
        setting(
            "Sketch model",
            "The transformer that samples the sketch.",
            min_length=1,
            max_length=4096,
        ),
    ] = "pocket"
    candidates: Annotated[
        int,
        setting("Sketches", "How many candidates are sampled; one of them is used.", low=1, high=64, step=1),
    ] = 8
    pick: Annotated[
        int, setting("Which sketch", "0 is the one that matches the prompt best.", low=0, high=63, step=1)
    ] = 0
    # None: the default of the sketch model.
    temperature: Annotated[
        float | None,
        setting("Temperature", "Higher values give more varied sketches.", low=0, high=4, step=0.05),
    ] = None
    top_k: Annotated[
        int | None,
        setting(
            "Top k",
            "Each code is sampled from this many of the most likely ones.",
            low=1,
            high=1 << 20,
            step=1,
        ),
    ] = None
    guidance: Annotated[
        float | None,
        setting(
            "Guidance",
            "Higher values follow the prompt more closely and vary less.",
            low=0,
            high=40,
            step=0.5,
        ),
    ] = None
    memory: Annotated[
        bool,
        setting(
            "Use stored examples",
            "Places stored examples of the things that the sketch model knows, instead of sampling them.",
        ),
    ] = True
    parser: Annotated[
        int,
        setting(
            "Parser",
            "The version of the prompt parser. 5: three things as they relate to each other. 4: styles, materials and "
            "colours by many names. 3: up to three kinds of things, up to twelve of each. 2: a cup of coffee is one "
            "thing, and “a cat, purple background” sets the background. 1: repeats recipes of pixgen 0.1.",
            low=1,
            high=5,
            step=1,
        ),
    ] = 1
    looks: Annotated[
        float | None,
        setting(
            "Looks",
            "How strongly things without an example follow the average look of their words.",
            low=0,
            high=5,
            step=0.1,
        ),
    ] = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Sketch":
        if self.pick >= self.candidates:
            raise InvalidValue(
                "pick must be below the number of candidates, {candidates}",
                candidates=self.candidates,
            )
        return self


@dataclass(frozen=True)
class InitKind:
    """What a picture can start from.

    Args:
        title: on the page, which offers only those that have one.
        alone: whether the name is enough; a picture, an idea and a video have to be given with it.
        noise: samples a picture ``(1, 3, height, width)`` in [0, 1], given ``width``, ``height`` and the run's
            ``generator``, all by name; None where a model, a file or the drawer itself makes the start.
    """

    title: str = ""
    alone: bool = True
    noise: "Callable[..., torch.Tensor] | None" = None


def _clouds(*, width: int, height: int, generator: "torch.Generator") -> "torch.Tensor":
    """Smooth noise of several octaves in low contrast."""
    import torch
    import torch.nn.functional as F

    total = torch.zeros(1, 3, height, width, device=generator.device)
    octaves = max(2, int(math.log2(min(width, height))) - 3)
    for octave in range(octaves):
        cells = 2 ** (octave + 1)
        shape = (1, 3, cells, max(1, round(cells * width / height)))
        coarse = torch.rand(shape, generator=generator, device=generator.device)
        total += (
            F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False) * 0.6**octave
        )
    spread = total - total.mean()
    return (0.5 + 0.25 * spread / spread.std().clamp(min=1e-6)).clamp(0, 1)


def _gradient(*, width: int, height: int, generator: "torch.Generator") -> "torch.Tensor":
    """Four random colours in the corners, and a smooth passage between them."""
    import torch
    import torch.nn.functional as F

    corners = torch.rand(1, 3, 2, 2, generator=generator, device=generator.device)
    return F.interpolate(corners, size=(height, width), mode="bilinear", align_corners=True)


def _snow(*, width: int, height: int, generator: "torch.Generator") -> "torch.Tensor":
    """A random colour for every pixel."""
    import torch

    return torch.rand(1, 3, height, width, generator=generator, device=generator.device)


def _grey(*, width: int, height: int, generator: "torch.Generator") -> "torch.Tensor":
    """Middle grey."""
    import torch

    return torch.full((1, 3, height, width), 0.5, device=generator.device)


# In the order of the page's menu.
INIT_KINDS: Mapping[str, InitKind] = {
    "sketch": InitKind("a sketch by the transformer"),
    "codes": InitKind("random codes"),
    "perlin": InitKind("clouds", noise=_clouds),
    "gradient": InitKind("a gradient", noise=_gradient),
    "snow": InitKind("coloured noise", noise=_snow),
    "grey": InitKind("plain grey", noise=_grey),
    "picture": InitKind("your picture", alone=False),
    "idea": InitKind("the idea of your picture", alone=False),
    "video": InitKind(alone=False),
}
if TYPE_CHECKING:
    InitName = str
else:
    InitName = Literal[tuple(INIT_KINDS)]


class Init(Value):
    """The initial picture: what the canvas shows before the first step."""

    kind: Annotated[
        InitName,
        setting("Start from", choices={name: kind.title for name, kind in INIT_KINDS.items() if kind.title}),
    ] = "codes"
    picture: Annotated[str, Field(max_length=4096)] = ""  # a path, with kind "picture"
    fit: Annotated[
        Literal["cover", "contain", "stretch"],
        setting(
            "Fit",
            choices={
                "cover": "fill and crop",
                "contain": "whole picture, with margins",
                "stretch": "stretched",
            },
        ),
    ] = "cover"
    strength: Annotated[
        float,
        setting(
            "Strength",
            "How much of the picture is replaced by noise before the first step. 0: none. 1: all of it.",
            low=0,
            high=1,
            step=0.05,
        ),
    ] = 0.0
    # With kind "picture", to paint only a part of it anew: a mask's path, or a side; and what stands
    # there at first.
    mask: Annotated[
        str, setting("Mask", "Repaint only the white parts of this picture.", max_length=4096)
    ] = ""
    extend: Annotated[
        Literal["", "left", "right", "top", "bottom"],
        setting(
            "Extend the canvas",
            "Adds empty space on one side, up to the chosen size, and paints it.",
            choices={
                "": "no",
                "left": "to the left",
                "right": "to the right",
                "top": "at the top",
                "bottom": "at the bottom",
            },
        ),
    ] = ""
    fill: Annotated[Literal["sketch", "codes", "picture"], setting("Initial content of the painted area")] = (
        "sketch"
    )
    # With kind "idea": texts and pictures whose CLIP vectors are added up by weight, and sketched.
    idea: Annotated[tuple[Prompt, ...], BeforeValidator(_read_terms)] = ()
    sketch: Sketch = Sketch()

    @model_validator(mode="after")
    def _complete(self) -> "Init":
        if (self.kind == "picture") != bool(self.picture):
            raise InvalidValue(
                'init.kind "picture" needs the path of a picture, and no other kind can have one'
            )
        if (self.kind == "idea") != bool(self.idea):
            raise InvalidValue('init.kind "idea" needs texts or pictures, and no other kind can have them')
        if self.strength and self.kind != "picture":
            raise InvalidValue('a strength needs init.kind "picture"')
        if self.mask and self.extend:
            raise InvalidValue("a picture can have a mask or a side to extend to, not both")
        if self.masked and self.kind != "picture":
            raise InvalidValue('a mask, or a side to extend to, needs init.kind "picture"')
        return self

    @property
    def masked(self) -> bool:
        """Whether only a part of a picture is repainted (inpainting, outpainting)."""
        return bool(self.mask or self.extend)

    @property
    def needs_sketcher(self) -> bool:
        """Whether a sketch model samples it."""
        return self.kind in ("sketch", "idea") or (self.masked and self.fill == "sketch")


def sampling_settings(asked: Sketch, usual: Mapping[str, float]) -> dict[str, Any]:
    """The sampling settings of a sketch model: the requested ones over its defaults.

    Raises RecipeError if a requested setting does not exist for this model.
    """
    found: dict[str, Any] = dict(usual)
    for name in _SETTINGS:
        value = getattr(asked, name)
        if value is not None and name not in usual:
            raise RecipeError(
                "The sketch model “{model}” has no setting {name}: remove init.sketch.{name}. It has "
                "{choices}.",
                model=asked.model,
                name=name,
                choices=", ".join(usual),
            )
        if value is not None:
            found[name] = value
    return found


def prompt_text(recipe: "Recipe") -> str:
    """The conditioning of a sketch model that accepts text only.

    Raises RecipeError if the recipe starts from an idea, or has only picture prompts.
    """
    texts = recipe.positive_texts
    if recipe.init.kind == "idea" or not texts:
        raise RecipeError(
            "The sketch model “{model}” reads text only, not pictures or ideas: start from a sketch of "
            "text, or choose the sketch model pocket.",
            model=recipe.init.sketch.model,
        )
    return ", ".join(texts)


def prompt_text_or_pictures(recipe: "Recipe") -> str | Scene:
    """The conditioning of a sketch model that accepts text or weighted pictures, for whole pictures only.

    Raises RecipeError if an idea mixes texts and pictures, or if only a part of a picture is repainted.
    """
    name = recipe.init.sketch.model
    if recipe.init.masked:
        raise RecipeError(
            "The sketch model “{name}” paints whole pictures only: choose another sketch model, or set "
            "init.fill=codes.",
            name=name,
        )
    terms = recipe.init.idea
    if recipe.init.kind != "idea":
        if texts := recipe.positive_texts:
            return ", ".join(texts)
        terms = recipe.positive_prompts
    if any(term.text for term in terms):
        raise RecipeError(
            "The sketch model “{name}” reads ideas of pictures only, without text: leave the text out, or "
            "choose the sketch model pocket.",
            name=name,
        )
    if sum(term.weight for term in terms) <= 0:
        raise RecipeError("The parts of this idea cancel each other out: change a weight.")
    return terms


@dataclass(frozen=True)
class SketcherKind:
    """What sketch models of one architecture can be asked for.

    Args:
        settings: its sampling settings with their defaults.
        conditioning: reads what it is conditioned on from a recipe, or raises RecipeError; None if it accepts all.
    """

    settings: Mapping[str, float]
    conditioning: "Callable[[Recipe], str | Scene] | None" = None


SKETCHERS: Mapping[str, SketcherKind] = {
    "pocket": SketcherKind(POCKET),
    "dalle": SketcherKind(DALLE, prompt_text),
    "unclip": SketcherKind(UNCLIP, prompt_text_or_pictures),
}
