"""A recipe's JSON reads back as the same recipe, whatever its fields hold; so do those that 0.1.0 wrote."""

import json
import math
import types
import typing
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pixgen.errors import RecipeError
from pixgen.recipe.cutouts import CUTOUT_SETS
from pixgen.recipe.kornia_classes import Kornia
from pixgen.recipe.recipe import Recipe, make_recipe, read_recipe

KORNIA = [
    Kornia(name="RandomRotation", args={"degrees": 30, "p": 0.5}),
    Kornia(name="RandomGaussianBlur", args={"kernel_size": [5, 5], "sigma": [0.5, 2.0]}),
]


def bounds(metadata: list[Any]) -> dict[str, Any]:
    """The bounds in pydantic's metadata, also those of nested fields."""
    found: dict[str, Any] = {}
    for each in metadata:
        if isinstance(each, FieldInfo):
            found |= bounds(each.metadata)
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length"):
            if getattr(each, name, None) is not None:
                found[name] = getattr(each, name)
    return found


def values(annotation: Any, limits: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that an annotation allows, often not those of its validators."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return values(parts[0], limits | bounds(list(parts[1:])))
    if origin in (typing.Union, types.UnionType):
        return st.one_of([values(each, limits) for each in parts])
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple and parts[-1] is Ellipsis:
        least = limits.get("min_length", 0)
        return st.lists(values(parts[0], {}), min_size=least, max_size=least + 2).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(each, {}) for each in parts))
    if annotation is type(None):
        return st.none()
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        low, high = limits.get("ge", 0), limits.get("le", 10**6)
        return st.integers(math.ceil(low), math.floor(high))
    if annotation is float:
        return st.floats(
            limits.get("ge", limits.get("gt", -1e6)), limits.get("le", limits.get("lt", 1e6)),
            exclude_min="gt" in limits, exclude_max="lt" in limits, allow_nan=False,
        )  # fmt: skip
    if annotation is str:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    if annotation is Kornia:
        return st.sampled_from(KORNIA)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return models(annotation)
    raise AssertionError(f"no values for {annotation}")


def models(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Dictionaries with some fields of a model."""
    fields = {
        name: values(field.annotation, bounds(field.metadata)) for name, field in model.model_fields.items()
    }
    needed = {name: fields[name] for name, field in model.model_fields.items() if field.is_required()}
    return st.fixed_dictionaries(
        needed, optional={name: each for name, each in fields.items() if name not in needed}
    )


def assert_reads_back(recipe: Recipe) -> None:
    assert read_recipe(recipe.to_json()) == recipe
    assert Recipe.model_validate(recipe.model_dump()) == recipe
    assert json.loads(read_recipe(recipe.to_json()).to_json()) == json.loads(recipe.to_json())


def parts() -> list[tuple[str, Any]]:
    """Every field of a recipe, and every field of the parts of it that are models themselves."""
    found = []
    for name, field in Recipe.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += [(f"{name}.{each}", one) for each, one in inner.model_fields.items()]
        else:
            found.append((name, field))
    return found


@pytest.mark.parametrize(("path", "field"), parts(), ids=[path for path, _ in parts()])
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_each_field_reads_back(path, field, data):
    value = data.draw(values(field.annotation, bounds(field.metadata)))
    outer, dot, inner = path.partition(".")
    try:
        recipe = make_recipe({"prompts": "a fox"}, {outer: {inner: value} if dot else value})
    except RecipeError:  # a text that is no name of a set, or what needs another field
        return
    assert_reads_back(recipe)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_many_fields_at_once_read_back(data):
    fields = data.draw(models(Recipe))
    fields.pop("prompts")  # hardly any drawn ones are allowed; by themselves, they are drawn above
    try:
        recipe = make_recipe({"prompts": "a fox"}, fields)
    except RecipeError:
        assume(False)
    assert_reads_back(recipe)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(own=models(type(CUTOUT_SETS["gentle"])))
def test_every_augmentation_reads_back(own):
    try:
        recipe = make_recipe({"prompts": "a fox", "cutouts": {"own": own}})
    except RecipeError:
        assume(False)
    assert_reads_back(recipe)


@pytest.mark.parametrize("name", CUTOUT_SETS)
def test_every_bundled_set_reads_back_as_an_own_one(name):
    assert_reads_back(make_recipe({"prompts": "a", "cutouts": {"own": CUTOUT_SETS[name].model_dump()}}))


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        ({}, "noise"), ({"amount": 0.2}, "noise"), ({"p": 0.3}, "noise"), ({"degrees": 10.0}, "affine"),
        ({"distortion": 0.3, "p": 0.5}, "perspective"), ({"hue": 0.02}, "colour"), ({"together": True}, "erasing"),
    ],
)  # fmt: skip
def test_augmentations_without_their_kind_as_0_1_0_wrote_them_are_read(stored, kind):
    text = json.dumps(
        {"prompts": [[{"text": "a"}]], "cutouts": {"own": {"crops": [{}], "augmentations": [stored]}}}
    )
    (read,) = read_recipe(text).cutouts.set_of(1).augmentations
    assert read.kind == kind
    assert_reads_back(read_recipe(text))
