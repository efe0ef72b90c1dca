"""kornia's augmentations as values: any class of ``kornia.augmentation``, by its name, with its parameters.

kornia and torch are loaded when a recipe that names such a class is checked, not before.
"""

import difflib
import inspect
import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, ValidationError, field_serializer, model_validator

from pixgen.errors import InvalidValue, RecipeError
from pixgen.messages import Message, _
from pixgen.recipe.base import Kind, describe_validation
from pixgen.text_files import parse_json

if TYPE_CHECKING:
    import torch.nn as nn

_LARGEST = 1024  # of a number: more is a slip, or takes all memory
_LARGEST_KERNEL = 127
_MOST_ITEMS = 16  # of a list
_LONGEST_TEXT = 100
_SIDE = 64  # of the pictures on which a class is tried

_NO_GRADIENT = _("its result has no gradient, so the optimizer could not learn from it")
_MIXES = _("it mixes pictures with each other and expects their labels")
REFUSED: dict[str, Message] = {
    "PatchMix": _MIXES,
    "RandomCutMixV2": _MIXES,
    "RandomMixUpV2": _MIXES,
    "RandomMosaic": _MIXES,
    "RandomTransplantation": _MIXES,
    "RandomEqualize": _NO_GRADIENT,
    "RandomPosterize": _NO_GRADIENT,
    "RandomDissolving": _("it needs Stable Diffusion, a model of several gigabytes"),
}

# Arguments that kornia itself requires, for the list on the page and for previews.
EXAMPLES: dict[str, dict[str, Any]] = {
    "CenterCrop": {"size": 48},
    "Denormalize": {"mean": 0.1, "std": 0.8},
    "LongestMaxSize": {"max_size": 32},
    "Normalize": {"mean": 0.1, "std": 0.8},
    "PadTo": {"size": [256, 256]},
    "RandomAffine": {"degrees": 30, "translate": [0.1, 0.1]},
    "RandomClahe": {"slow_and_differentiable": True},
    "RandomCrop": {"size": [48, 48]},
    "RandomFisheye": {"center_x": [-0.3, 0.3], "center_y": [-0.3, 0.3], "gamma": [0.9, 1.2]},
    "RandomGaussianBlur": {"kernel_size": [5, 5], "sigma": [0.5, 2.0]},
    "RandomMotionBlur": {"kernel_size": 5, "angle": 35, "direction": 0.5},
    "RandomResizedCrop": {"size": [64, 64], "scale": [0.3, 1.0]},
    "RandomRotation": {"degrees": 30},
    "RandomRotation90": {"times": [1, 3]},
    "RandomShear": {"shear": 15},
    "RandomTranslate": {"translate_x": [-0.2, 0.2], "translate_y": [-0.2, 0.2]},
    "Resize": {"size": [32, 32]},
    "SmallestMaxSize": {"max_size": 32},
}


def _freeze(value: Any) -> Any:
    """Arguments from JSON as something that can be hashed: pairs, with lists as tuples."""
    if isinstance(value, Mapping):
        return tuple((name, _freeze(each)) for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_freeze, value))
    return value


class Kornia(Kind):
    """A class of ``kornia.augmentation`` by its name, with arguments of its constructor."""

    kind: Literal["kornia"] = "kornia"
    name: str
    args: Annotated[tuple[tuple[str, Any], ...], BeforeValidator(_freeze)] = ()

    @field_serializer("args")
    def _args_as_object(self, args: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
        return dict(args)

    @model_validator(mode="after")
    def _usable(self) -> "Kornia":
        for name, value in self.args:
            _check_argument(name, value)
        _check(self)
        return self

    @property
    def text(self) -> str:
        """The augmentation as it is typed: ``RandomRotation:degrees=30,p=0.5``."""
        args = ",".join(
            f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in self.args
        )
        return f"{self.name}:{args.replace(' ', '')}" if args else self.name

    def build(self) -> "nn.Module":
        """A new module of the class. Raises what kornia raises."""
        return _build(self.name, dict(self.args))


def unchecked_kornia(name: str, **args: Any) -> Kornia:
    """An augmentation of a bundled cutout set, without validation, which would load torch."""
    return Kornia.model_construct(kind="kornia", name=name, args=_freeze(args))


def parse_augmentation(text: str) -> Kornia:
    """An augmentation from ``NAME`` or ``NAME:argument=value,…``, values as in Python or JSON.

    Raises RecipeError.
    """
    name, _, rest = text.strip().partition(":")
    args = {}
    for part in _split_arguments(rest):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise RecipeError(
                "“{text}” is not of the form argument=value: write for example "
                "RandomThinPlateSpline:p=0.5,scale=0.2.",
                text=part.strip(),
            )
        args[key.strip()] = _parse_value(value.strip())
    try:
        return Kornia.model_validate({"name": name.strip(), "args": args})
    except ValidationError as error:
        raise RecipeError(
            "This augmentation is not allowed: {reason}.", reason=describe_validation(error)
        ) from error


@lru_cache(maxsize=1)
def kornia_names() -> tuple[str, ...]:
    """The names of all classes of ``kornia.augmentation`` that can be used, in alphabetical order."""
    return tuple(name for name in _classes() if name not in REFUSED)


def build_example(name: str) -> Kornia:
    """Build a class with example arguments, applied with probability 1. Raises RecipeError."""
    return apply_always(parse_augmentation(suggest_arguments(name)))


def suggest_arguments(name: str) -> str:
    """A class as it is typed, with example values of its required arguments."""
    return unchecked_kornia(name, **EXAMPLES.get(name, {})).text


def apply_always(augmentation: Kornia) -> Kornia:
    """The same augmentation, applied with probability 1."""
    if not _has_p(augmentation.name):
        return augmentation
    return unchecked_kornia(augmentation.name, **{**dict(augmentation.args), "p": 1.0})


def constructor_parameters(name: str) -> dict[str, inspect.Parameter]:
    """The parameters of a class's constructor, by name."""
    return dict(inspect.signature(_classes()[name]).parameters)


def _has_p(name: str) -> bool:
    return name in _classes() and "p" in constructor_parameters(name)


@lru_cache(maxsize=1)
def _classes() -> dict[str, type]:
    import kornia.augmentation as augmentations

    bases = (augmentations.AugmentationBase2D, augmentations.MixAugmentationBaseV2)
    found = {name: getattr(augmentations, name) for name in sorted(augmentations.__all__)}
    return {
        name: each
        for name, each in found.items()
        if inspect.isclass(each)
        and issubclass(each, bases)
        and not name.endswith("3D")
        and "Base" not in name
    }


def _check_argument(name: str, value: Any) -> None:
    """Raise InvalidValue for a value that no class accepts."""
    if isinstance(value, tuple):
        if len(value) > _MOST_ITEMS:
            raise InvalidValue("{argument} has more than {limit} values", argument=name, limit=_MOST_ITEMS)
        for each in value:
            _check_argument(name, each)
    elif isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            raise InvalidValue(
                "{argument} is longer than {limit} characters", argument=name, limit=_LONGEST_TEXT
            )
    elif isinstance(value, (int, float)):
        largest = _LARGEST_KERNEL if "kernel" in name else _LARGEST
        if not math.isfinite(value) or abs(value) > largest:
            raise InvalidValue(
                "{argument} must be a number from -{limit} to {limit}", argument=name, limit=largest
            )
    elif value is not None:
        raise InvalidValue(
            "{argument} must be a number, a text, true, false, or a list of these", argument=name
        )


@lru_cache(maxsize=1024)
def _check(augmentation: Kornia) -> None:
    """Raise InvalidValue, with what is allowed, if the class or its arguments cannot be used."""
    name, args = augmentation.name, dict(augmentation.args)
    if name in REFUSED:
        raise _refusal(name, REFUSED[name])
    if name.endswith("3D"):
        raise _refusal(name[:60], _("it is for volumes, not for pictures"))
    if name.endswith(("Sequential", "Dispather")):
        raise _refusal(name[:60], _("it is a container: list its members instead"))
    if name not in _classes():
        near = difflib.get_close_matches(name, kornia_names(), n=3, cutoff=0.5)
        if not near:
            raise InvalidValue(
                "kornia.augmentation has no class “{class_name}” for pictures", class_name=name[:60]
            )
        raise InvalidValue(
            "kornia.augmentation has no class “{class_name}” for pictures: did you mean {near}?",
            class_name=name[:60],
            near=", ".join(near),
        )
    known = constructor_parameters(name)
    for key in args:
        if key not in known:
            raise InvalidValue(
                "{class_name} has no argument “{argument}”: choose {choices}",
                class_name=name,
                argument=key[:60],
                choices=", ".join(known),
            )
    missing = [key for key, each in known.items() if each.default is each.empty and key not in args]
    if missing:
        shown = unchecked_kornia(name, **EXAMPLES.get(name, dict.fromkeys(missing, 1)))
        raise InvalidValue(
            "{class_name} needs {arguments}: write for example {example}",
            class_name=name,
            arguments=", ".join(missing),
            example=shown.text,
        )
    _try(name, args)


def _refusal(name: str, reason: Message) -> InvalidValue:
    return InvalidValue("{class_name} cannot be used here: {reason}", class_name=name, reason=reason)


def _try(name: str, args: dict[str, Any]) -> None:
    """Raise InvalidValue unless the class, always applied, gives pictures with a gradient."""
    import torch

    from pixgen.random_numbers import seeded_random_numbers

    picture = torch.rand(2, 3, _SIDE, _SIDE, generator=torch.Generator().manual_seed(0), requires_grad=True)
    always = {"p": 1.0} if _has_p(name) else {}
    try:
        _build(name, args)  # as it was given
        with torch.enable_grad(), seeded_random_numbers(0):
            seen = _build(name, {**args, **always})(picture)
    except Exception as error:  # kornia raises many kinds
        said = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise InvalidValue(
            "kornia does not accept these arguments of {class_name}: {complaint}",
            class_name=name,
            complaint=said,
        ) from error
    if not isinstance(seen, torch.Tensor) or seen.ndim != 4 or seen.shape[:2] != (2, 3):
        raise _refusal(name, _("it does not return one picture for each input"))
    if not seen.requires_grad:
        raise _refusal(name, _NO_GRADIENT)
    # Weights of either sign: a sum alone has no gradient where contrast is stretched.
    weights = torch.linspace(-1, 1, seen.numel()).view_as(seen)
    (gradient,) = torch.autograd.grad((seen * weights).sum(), picture, allow_unused=True)
    if gradient is None or not bool(gradient.isfinite().all()) or not bool(gradient.any()):
        raise _refusal(name, _NO_GRADIENT)


def _build(name: str, args: Mapping[str, Any]) -> "nn.Module":
    import torch

    known = constructor_parameters(name)
    values = {
        key: torch.tensor(value) if known[key].annotation in (torch.Tensor, "torch.Tensor") else value
        for key, value in args.items()
    }
    return _classes()[name](**values)


def _split_arguments(text: str) -> Sequence[str]:
    """The parts between commas that no bracket encloses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part.strip()]


def _parse_value(text: str) -> Any:
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    try:
        return parse_json(text.replace("(", "[").replace(")", "]").replace(",]", "]"))
    except ValueError:
        return text.strip("'\"")
