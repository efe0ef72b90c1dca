"""The command line: what it asks for, what it answers, and that bad input is one clear sentence."""

import json
import re

import pytest

from pixgen.cli.app import main
from pixgen.errors import RecipeError
from pixgen.recipe.options import Options, find_mistyped_weights, parse_init, parse_size, recipe_from
from pixgen.recipe.presets import load_preset
from pixgen.recipe.prompts import Prompt
from pixgen.recipe.recipe import make_recipe

FOX = ["generate", "a red fox"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIXGEN_OUTPUT_DIR", str(tmp_path / "outputs"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["generate"], "The prompt is empty"),
        (["generate", "  "], "The prompt is empty"),
        (["generate", "fox:1e999"], "finite"),
        (["generate", "fox:99999"], "less than or equal to 1000"),
        ([*FOX, "--negative", "|"], "The prompt is empty"),
        ([*FOX, "--size", "128y128"], "each from 32 to 2048, for example 256x128"),
        ([*FOX, "--size", "16x128"], "each from 32 to 2048"),
        ([*FOX, "--size", "-128x128"], "each from 32 to 2048"),
        ([*FOX, "--steps", "-3"], "steps must be greater than or equal to 0"),
        ([*FOX, "--steps", "many"], "many|integer"),
        ([*FOX, "--seed", "-1"], "seed must be greater than or equal to 0"),
        ([*FOX, "--preset", "quick"], "choose draft, balanced, best"),
        (
            [*FOX, "--init", "noise"],
            "choose sketch, codes, perlin, gradient, snow, grey, picture:PATH, variation:PATH or",
        ),
        ([*FOX, "--init", "picture"], "picture:PATH"),
        ([*FOX, "--init", "perlin", "--sketcher", "dalle-mini"], "add --init sketch"),
        ([*FOX, "--init", "sketch", "--sketcher", "raphael"], "choose pocket, dalle-mini"),
        (
            [*FOX, "--init", "idea:a fox", "--sketcher", "dalle-mini"],
            "reads text only, not pictures",
        ),
        ([*FOX, "--set", "cutouts.cuont=3"], "choose count, batches, kind, own"),
        ([*FOX, "--set", "colour=red"], "choose prompts, translations, width"),
        ([*FOX, "--set", "steps.more=3"], "“more” is too much"),
        ([*FOX, "--set", "steps"], "key=value"),
        ([*FOX, "--set", "cutouts.kind=none"], "gentle, crowson"),
        ([*FOX, "--set", "optimizer.name=Magic"], "'Adam'"),
        ([*FOX, "--recipe", "missing.png"], "“missing.png” cannot be read"),
        ([*FOX, "--out", "fox.jpg"], "must end in .png"),
        ([*FOX, "--video", "fox.avi"], "must end in .mp4 or .webm or .gif or .webp"),
        ([*FOX, "--resume", "20260101-000000-abcdef"], "uses the run's own recipe"),
        ([*FOX, "--colour", "red"], "No such option"),
        (["info", "missing.png"], "“missing.png” cannot be read"),
        (["paint"], "No such command"),
    ],
)
def test_bad_input_is_one_clear_sentence_and_status_2(arguments, said, capsys):
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert re.search(said, told.err)
    assert told.err.startswith("pixgen: ")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[*FOX, "--size", "1x1"], [*FOX, "--steps", "many"]])
def test_for_a_machine_an_error_is_an_object(arguments, capsys):
    assert main([*arguments, "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert list(json.loads(told.err)) == ["error"]


def test_an_existing_file_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "fox.png").write_bytes(b"mine")
    assert main([*FOX, "--out", "fox.png"]) == 2
    assert "exists already: choose another name, or add --overwrite" in capsys.readouterr().err
    assert (tmp_path / "fox.png").read_bytes() == b"mine"


def test_a_folder_that_is_a_file_cannot_hold_a_picture(tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    assert main([*FOX, "--out", "file/fox.png"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_help_needs_no_model(capsys):
    assert main(["generate", "--help"]) == 0
    assert "--negative" in capsys.readouterr().out


def test_presets_are_listed_with_what_they_cost(capsys):
    assert main(["presets"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("draft", "balanced (default)", "best"))


@pytest.mark.parametrize(
    ("text", "size"), [("256x128", (256, 128)), ("64", (64, 64)), (" 96 × 64 ", (96, 64))]
)
def test_a_size_is_width_times_height(text, size):
    assert parse_size(text) == size


def test_a_start_is_a_kind_or_a_picture():
    nothing_more = {"picture": "", "idea": (), "strength": 0.0}
    assert parse_init("perlin") == {"kind": "perlin", **nothing_more}
    assert parse_init("dalle") == parse_init("sketch") == {"kind": "sketch", **nothing_more}
    assert parse_init("picture:a:b.png") == {
        **nothing_more,
        "kind": "picture",
        "picture": "a:b.png",
    }
    varied = {"kind": "idea", "picture": "", "strength": 0.0, "idea": ({"picture": "a|b.png"},)}
    assert parse_init("variation:a|b.png") == varied
    assert parse_init("idea:[a.png] | snow:-1")["idea"] == "[a.png] | snow:-1"


def test_the_recipe_is_the_preset_with_the_options_over_it():
    recipe = recipe_from(
        Options(
            prompt="a red fox",
            preset="draft",
            size="96x64",
            steps=9,
            seed=7,
            init="snow",
            assignments=["cutouts.batches=2"],
        )
    )
    assert (recipe.width, recipe.height, recipe.steps, recipe.seed) == (96, 64, 9, 7)
    assert (recipe.preset, recipe.init.kind) == ("draft", "snow")
    assert (recipe.cutouts.count, recipe.cutouts.batches) == (8, 2)


def test_negatives_push_every_scene_away():
    recipe = recipe_from(Options(prompt="fox ^ wolf", negative=["text | logo:2", "frame:-1:-0.8"]))
    pushed = (
        Prompt(text="text", weight=-1, stop=-0.9),
        Prompt(text="logo", weight=-2, stop=-0.9),
        Prompt(text="frame", weight=-1, stop=-0.8),
    )
    assert [scene[1:] for scene in recipe.prompts] == [pushed, pushed]


def test_without_a_seed_one_is_drawn():
    seeds = {recipe_from(Options(prompt="fox")).seed for _ in range(4)}
    assert len(seeds) == 4


def test_a_repeated_recipe_is_the_same_recipe():
    recipe = make_recipe({"prompts": "fox", "steps": 7, "seed": 3, "init": {"kind": "snow"}})
    assert recipe_from(Options(recipe=recipe)) == recipe


def test_options_win_over_a_repeated_recipe():
    recipe = make_recipe(
        {"prompts": "fox", "init": {"kind": "picture", "picture": "a.png"}},
        {"seed": 3, "changes": [{"step": 4, "prompts": "wolf"}]},
    )
    changed = recipe_from(Options(recipe=recipe, prompt="owl", steps=9, init="perlin"))
    assert (changed.prompt, changed.steps, changed.seed) == ("owl", 9, 3)
    assert changed.init.kind == "perlin"
    assert changed.changes == ()


def test_steps_that_are_asked_for_are_asked_for_at_once():
    longer = make_recipe({"prompts": "a fox", "steps": 10}).with_more_steps(20)
    assert recipe_from(Options(recipe=longer)) == longer
    assert recipe_from(Options(recipe=longer, steps=20)).earlier_steps == ()


def test_a_preset_wins_over_a_repeated_recipe():
    recipe = make_recipe({"prompts": "fox", "steps": 7, "seed": 3})
    assert recipe_from(Options(recipe=recipe, preset="best")).steps == load_preset("best").recipe["steps"]


@pytest.mark.parametrize("name", ["prompts", "init.kind", "cutouts.own.crops", "losses.latent_decay"])
def test_every_field_can_be_set(name):
    with pytest.raises(RecipeError, match="not allowed"):
        recipe_from(Options(prompt="fox", assignments=[f"{name}=-1"]))


@pytest.mark.parametrize(
    ("prompt", "ends"),
    [
        ("fox:1,5 | snow:0.5x", ["1,5", "0.5x"]),
        ("fox:nan", ["nan"]),
        ("fox:0.5 | at 10:30 | Title: sub | http://a.b", []),
    ],
)
def test_what_only_looks_like_a_weight_is_noticed(prompt, ends):
    assert find_mistyped_weights(prompt) == ends
