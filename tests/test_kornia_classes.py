"""kornia's augmentations in a recipe: what is allowed, what is refused and why, and how it is typed."""

import json

import pytest

from pixgen.errors import RecipeError
from pixgen.recipe.cutouts import CUTOUT_SETS, EARLIER_SETS, CutoutSet, as_kornia
from pixgen.recipe.kornia_classes import (
    REFUSED,
    Kornia,
    build_example,
    kornia_names,
    parse_augmentation,
    unchecked_kornia,
)
from pixgen.recipe.recipe import make_recipe, read_recipe


def in_recipe(*augmentations: dict) -> dict:
    own = {"crops": [{}], "augmentations": list(augmentations)}
    return {"prompts": "a fox", "cutouts": {"kind": "own", "own": own}}


ELASTIC = {"kind": "kornia", "name": "RandomElasticTransform", "args": {"alpha": [2.0, 2.0], "p": 0.5}}


def test_a_recipe_lists_a_class_by_its_name_and_its_json_is_read_again():
    recipe = make_recipe(in_recipe(ELASTIC))
    assert json.loads(recipe.to_json())["cutouts"]["own"]["augmentations"] == [ELASTIC]
    assert read_recipe(recipe.to_json()) == recipe
    assert hash(recipe.cutouts) == hash(read_recipe(recipe.to_json()).cutouts)


@pytest.mark.parametrize("name", kornia_names())
def test_every_class_that_is_offered_can_be_used_with_its_example(name):
    assert build_example(name).name == name


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused_by_name_with_the_reason(name):
    with pytest.raises(RecipeError, match=f"{name} cannot be used here: {REFUSED[name][:20]}"):
        make_recipe(in_recipe({"kind": "kornia", "name": name}))


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("RandomElastic", {}, "no class “RandomElastic” for pictures: did you mean .*RandomElasticTransform"),
        ("RandomAffine", {}, "needs degrees: write for example RandomAffine:degrees=30"),
        ("RandomAffine", {"degrees": 10, "turns": 3}, "no argument “turns”: choose degrees, translate"),
        ("RandomAffine", {"degrees": 500}, "does not accept these arguments of RandomAffine: degrees out of"),
        ("RandomClahe", {}, "RandomClahe cannot be used here: its result has no gradient"),
        ("RandomAffine3D", {}, "it is for volumes"),
        ("AugmentationSequential", {}, "it is a container"),
        ("RandomBoxBlur", {"kernel_size": [999, 999]}, "kernel_size must be a number from -127 to 127"),
        ("RandomHue", {"hue": [0.0] * 20}, "hue has more than 16 values"),
        (
            "RandomGaussianBlur",
            {"kernel_size": [3, 3], "sigma": [1, 2], "border_type": "x" * 101},
            "longer than 100",
        ),
    ],
)
def test_other_mistakes_are_told_with_what_is_allowed(name, args, said):
    with pytest.raises(RecipeError, match=said):
        make_recipe(in_recipe({"kind": "kornia", "name": name, "args": args}))


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("RandomThinPlateSpline:p=0.5,scale=0.2", {"p": 0.5, "scale": 0.2}),
        ("RandomRotation:degrees=(-10,20),same_on_batch=True", {"degrees": (-10, 20), "same_on_batch": True}),
        ("RandomShear: shear=[5, 10], padding_mode=border", {"shear": (5, 10), "padding_mode": "border"}),
        ("RandomInvert", {}),
    ],
)
def test_an_augmentation_is_typed_as_its_name_and_arguments(text, args):
    typed = parse_augmentation(text)
    assert dict(typed.args) == args
    assert parse_augmentation(typed.text) == typed


def test_what_is_typed_wrongly_is_said():
    with pytest.raises(RecipeError, match="“0.5” is not of the form argument=value"):
        parse_augmentation("RandomInvert:0.5")


@pytest.mark.parametrize("name", CUTOUT_SETS)
def test_every_published_set_would_pass_the_checks_of_a_recipe(name):
    CutoutSet.model_validate(CUTOUT_SETS[name].model_dump())
    for each in map(as_kornia, CUTOUT_SETS[name].augmentations):
        if isinstance(each, Kornia):
            Kornia.model_validate(each.model_dump())


def test_the_set_updated_is_the_pipeline_of_its_source():
    noise = CUTOUT_SETS["updated"].augmentations[-1]
    assert CUTOUT_SETS["updated"].augmentations == (
        unchecked_kornia("RandomHorizontalFlip", p=0.5),
        unchecked_kornia("ColorJitter", hue=0.01, saturation=0.01, p=0.7),
        unchecked_kornia("RandomSharpness", sharpness=0.3, p=0.4),
        unchecked_kornia("RandomAffine", degrees=30.0, translate=(0.1, 0.1), padding_mode="border", p=0.8),
        unchecked_kornia("RandomPerspective", distortion_scale=0.2, p=0.4),
        noise,
    )
    # Those of version 1 stand for the same classes.
    earlier = {each.name: each for each in map(as_kornia, EARLIER_SETS["updated"].augmentations[:-1])}
    for each in CUTOUT_SETS["updated"].augmentations[:-1]:
        assert set(each.args) <= set(earlier[each.name].args)
