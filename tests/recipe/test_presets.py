"""The bundled presets."""

import json

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from pixgen.errors import RecipeError
from pixgen.models.architectures import random_perceptor, random_vqgan
from pixgen.recipe import presets
from pixgen.recipe.drawers import DRAWERS
from pixgen.recipe.presets import DEFAULT, available_presets, load_preset
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis.memory.estimate import estimate_memory


def test_the_presets_of_the_pocket_pair_are_there_the_cheapest_first():
    assert list(available_presets())[:3] == ["draft", "balanced", "best"]


def test_every_drawer_has_a_preset():
    recipes = [make_recipe(each.recipe, {"prompts": "x"}) for each in available_presets().values()]
    assert {recipe.drawer for recipe in recipes} == set(DRAWERS)


def test_the_default_is_one_of_them():
    assert load_preset(DEFAULT).name == DEFAULT


@pytest.mark.parametrize("name", available_presets())
def test_every_preset_is_a_recipe_once_it_has_a_prompt(name):
    make_recipe(load_preset(name).recipe, {"prompts": "a red fox"})


@pytest.mark.parametrize("name", available_presets())
def test_every_preset_says_what_it_costs(name):
    about = load_preset(name).about
    assert about.endswith(".")
    assert str(load_preset(name).recipe["steps"]) in about


def test_the_memory_estimate_is_read_by_its_earlier_name_too(tmp_path, monkeypatch):
    content = {"order": 1, "title": "Own", "about": "", "recipe": {}, "foretold_megabytes": 100}
    (tmp_path / "own.json").write_text(json.dumps(content), "utf-8")
    monkeypatch.setattr(presets, "PRESETS", tmp_path)
    preset = presets.available_presets.__wrapped__()["own"]
    assert (preset.estimated_megabytes, preset.foretold_megabytes) == (100, 100)


def test_each_preset_costs_more_than_the_one_before():
    recipes = [make_recipe(each.recipe, {"prompts": "x"}) for each in available_presets().values()]
    costs = [
        recipe.steps * recipe.cutouts.count
        for recipe in recipes
        if recipe.drawer == "vqgan" and not recipe.story.fade and not recipe.journey.moving
    ]
    assert costs == sorted(set(costs))


def test_an_unknown_preset_is_answered_with_the_names():
    with pytest.raises(RecipeError, match="draft, balanced, best"):
        load_preset("quick")


def test_presets_for_fetched_models_say_what_memory_they_take():
    full = [each for each in available_presets().values() if each.foretold_megabytes]
    assert [each.name for each in full] == [
        "full-draft",
        "full-normal",
        "full-better",
        "full-best",
        "full-supreme",
    ]
    sizes = [each.estimated_megabytes for each in full]
    assert sizes == sorted(sizes)
    for each in full:
        assert f"{each.estimated_megabytes / 1000:.1f} GB" in each.about
        least, most = each.estimated_seconds["A100"]
        assert f"an estimated {least} to {most} seconds on an A100" in each.about
        for run in each.measured:
            assert set(run) == {"device", "megabytes", "seconds"}


def test_the_stated_memory_is_the_estimate():
    preset = load_preset("full-draft")
    recipe = make_recipe(preset.recipe, {"prompts": "x"})
    assert estimate_memory(recipe, device="cuda").total == pytest.approx(
        preset.estimated_megabytes * 1e6, rel=0.05
    )


RATES = {"A100": 312e12, "RTX 4090": 165e12}  # bfloat16, dense, as NVIDIA states them


def test_seconds_are_estimated_from_the_arithmetic_of_the_steps():
    preset = load_preset("full-draft")
    recipe = make_recipe(preset.recipe, {"prompts": "x"})
    vqgan, perceptor = (
        random_vqgan(recipe.model, "meta"),
        random_perceptor(recipe.clip_names, "meta"),
    )
    latent = torch.empty(1, 256, recipe.height // 16, recipe.width // 16, device="meta")
    shape = (recipe.cutouts.count, 3, perceptor.size, perceptor.size)
    cutouts = torch.empty(shape, device="meta", requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        vqgan.decode(latent.requires_grad_()).sum().backward()
        perceptor.embed_images(cutouts).sum().backward()
    for name, rate in RATES.items():
        seconds = recipe.steps * counter.get_total_flops() / rate
        assert list(preset.estimated_seconds[name]) == [round(seconds / 0.4), round(seconds / 0.15)]
