"""From a filled-in form to a recipe."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixgen.errors import PictureError, RecipeError
from pixgen.losses import Losses
from pixgen.recipe.presets import available_presets
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Policy
from pixgen.ui.create.form import (
    LOSS_SETTINGS,
    CreateForm,
    form_fields,
    preset_values,
    recipe_values,
    sizes,
)
from pixgen.ui.create.form_recipe import describe_error
from pixgen.ui.create.panels.settings import loss_name
from pixgen.ui.i18n import ENGLISH
from tests.ui.forms import remarks, to_recipe


def recipe(**values):
    return to_recipe({"prompt": "a red fox", **values})


def test_a_prompt_is_enough():
    made = recipe()
    assert made.prompt == "a red fox"
    assert made.preset == "balanced"


def test_what_is_left_out_pushes_and_stops_in_every_scene():
    made = recipe(prompt="a fox ^ a cat", leave_out="text | blur :2")
    for scene in made.prompts:
        pushed = [(prompt.text, prompt.weight, prompt.stop) for prompt in scene[1:]]
        assert pushed == [("text", -1.0, -0.9), ("blur", -2.0, -0.9)]


def test_every_setting_arrives():
    made = recipe(
        preset="draft", size="256 × 192", seed=" 7 ", steps=40.0, cutouts=4, cutout_set="pooled",
        learning_rate=0.2, start="perlin", total_variation=0.1, start_latent=0.2, start_pixels=0.3,
        latent_decay=0.4,
    )  # fmt: skip
    assert (made.preset, made.width, made.height, made.seed, made.steps) == (
        "draft",
        256,
        192,
        7,
        40,
    )
    assert (made.cutouts.count, made.cutouts.kind) == (4, "pooled")
    assert (made.optimizer.learning_rate, made.init.kind) == (0.2, "perlin")
    losses = made.losses
    assert (losses.total_variation, losses.start_latent, losses.start_pixels, losses.latent_decay) == (
        0.1,
        0.2,
        0.3,
        0.4,
    )


def test_every_loss_and_the_drawer_arrive():
    made = recipe(
        drawer="pixels", saturation=0.5, smoothness=1, smoothness_kind="log", symmetry=2,
        symmetry_kind="vertical", edge=3, edge_colour="navy", tiling=4, anti_text=0.25, palette=5,
        palette_colours="red, white", style=1.5, edge_margin=0.2, aesthetics=0.75, wished_picture="/a/style.png",
    )  # fmt: skip
    losses = made.losses
    assert (made.drawer, losses.saturation, losses.tiling, losses.anti_text) == (
        "pixels",
        0.5,
        4,
        0.25,
    )
    assert (losses.smoothness.weight, losses.smoothness.kind) == (1, "log")
    assert (losses.symmetry.weight, losses.symmetry.kind) == (2, "vertical")
    assert (losses.edge.weight, losses.edge.colour, losses.edge.margin) == (3, "navy", 0.2)
    assert losses.aesthetics == 0.75
    assert (losses.palette.weight, losses.palette.colours) == (5, ("red", "white"))
    assert (losses.style.weight, losses.style.picture) == (1.5, "/a/style.png")
    assert losses.palette.picture == ""


def test_every_loss_of_a_curve_has_a_name_on_the_page():
    names = {*Losses.model_fields, "prompts"}
    said = {name: loss_name(name, ENGLISH) for name in names}
    assert not names & set(said.values())
    assert len(set(said.values())) == len(names)
    assert loss_name("of-tomorrow", ENGLISH) == "of-tomorrow"


def test_without_named_colours_the_palette_is_the_pictures():
    made = recipe(palette=1, palette_colours=" ", wished_picture="/a/colours.png")
    assert (made.losses.palette.colours, made.losses.palette.picture) == ((), "/a/colours.png")


def test_a_setting_that_is_empty_is_the_presets():
    made = recipe(preset="draft", steps=None, cutouts=None, size="", seed=None)
    assert made.steps == available_presets()["draft"].recipe["steps"]


def test_without_a_seed_each_recipe_has_its_own():
    assert len({recipe(seed="").seed for _ in range(8)}) == 8


@pytest.mark.parametrize("name", sorted(available_presets()))
def test_a_preset_passes_through_the_form_unharmed(name):
    preset = available_presets()[name].recipe
    if name == "restyle":  # asks for a video
        pytest.skip("it cannot be painted without a video")
    made = recipe(preset=name, seed="3", **preset_values(name))
    assert made == make_recipe(preset, {"prompts": "a red fox", "seed": 3, "preset": name})


def test_one_setting_of_a_journey_brings_the_others_along():
    shown = preset_values("journey")
    made = recipe(preset="journey", seed="3", **shown | {"turn": "0:2"})
    assert made.journey.turn == ((0, 2.0),)
    assert (made.journey.every, made.journey.zoom) == (3, ((0, 1.02),))
    assert made.steps == available_presets()["journey"].recipe["steps"]


def test_every_loss_is_on_the_page():
    offered = {each.path.partition(".")[0] for each in LOSS_SETTINGS.values()}
    assert offered == set(Losses.model_fields)


@pytest.mark.parametrize("seed", ["-1", "1.5", "seven", "9" * 19, "９", "1e3"])
def test_a_seed_that_is_none_is_told(seed):
    with pytest.raises(RecipeError, match="The seed “"):
        recipe(seed=seed)


def test_pictures_join_every_scene_with_their_weight():
    made = recipe(prompt="a fox ^ a cat", pictures=["/a/one.png", "/a/two.png"], pictures_weight=0.5)
    for scene in made.prompts:
        assert [(prompt.picture, prompt.weight) for prompt in scene[1:]] == [
            ("/a/one.png", 0.5),
            ("/a/two.png", 0.5),
        ]


def test_pictures_alone_are_a_prompt():
    made = recipe(prompt=" ", pictures=["/a/odd [name] | x:2.png"])
    assert [prompt.picture for prompt in made.prompts[0]] == ["/a/odd [name] | x:2.png"]


def test_a_start_of_ones_own_needs_its_picture():
    with pytest.raises(RecipeError, match="add it below"):
        recipe(start="picture")
    made = recipe(start="picture", start_picture="/a/b:c.png")
    assert (made.init.kind, made.init.picture) == ("picture", "/a/b:c.png")


def test_an_alternative_hides_no_path():
    with pytest.raises(RecipeError, match="cannot be given by path"):
        recipe(prompt="{[/etc/secret.png]|[/etc/secret.png]}")


def test_an_upload_may_have_any_name():
    made = to_recipe({"prompt": "", "pictures": ["/up/a__b__{c|d}.png"]})
    assert made.prompts[0][0].picture == "/up/a__b__{c|d}.png"


@pytest.mark.parametrize("field", ["prompt", "leave_out"])
def test_nobody_types_a_path_of_the_server(field):
    with pytest.raises(RecipeError, match="cannot be given by path"):
        recipe(**{field: "a fox | [/etc/secret.png]"})


@pytest.mark.parametrize("prompt", ["", "  ", "|", None])
def test_an_empty_prompt_is_told(prompt):
    with pytest.raises(RecipeError, match="The prompt is empty"):
        recipe(prompt=prompt)


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", "12x"), ("size", "9000x9000"), ("preset", "nice"), ("cutout_set", "odd"), ("steps", -3),
     ("learning_rate", float("nan")), ("start", "../x"), ("cutouts", 1e9), ("steps", "many")],
)  # fmt: skip
def test_what_is_not_allowed_is_a_sentence(field, value):
    with pytest.raises(RecipeError) as caught:
        recipe(**{field: value})
    assert str(caught.value).endswith(".")


@given(st.text(max_size=60), st.text(max_size=30))
def test_any_words_make_a_recipe_or_a_sentence(prompt, leave_out):
    with contextlib.suppress(RecipeError):
        assert recipe(prompt=prompt, leave_out=leave_out).prompts


def test_a_weight_that_is_nearly_a_number_is_remarked_upon():
    assert remarks({"prompt": "a fox :1,5"}, ENGLISH) == [
        ENGLISH("“:{end}” is read as text, because it is not a number such as :0.5 or :-1.", end="1,5")
    ]
    assert remarks({"prompt": "a fox :1.5 | time: now"}, ENGLISH) == []


def test_every_preset_fills_the_same_settings_of_the_form():
    asked = form_fields(Policy())
    for name in available_presets():
        for setting, value in preset_values(name).items():
            assert asked[setting].nearest(value) == value


def test_the_public_is_offered_what_it_may_have():
    policy = Policy.for_public()
    assert all(max(map(int, value.split("x"))) <= 512 for _, value in sizes(policy))
    assert form_fields(policy)["steps"].high == policy.most_steps


def test_the_form_shows_the_nearest_that_it_offers_of_what_a_recipe_has():
    asked = form_fields(Policy())
    assert asked["steps"].nearest(10**6) == asked["steps"].high
    assert asked["cutouts"].nearest(-1) == asked["cutouts"].low
    assert asked["model"].nearest("a path/of a stranger's.ckpt") == asked["model"].default
    assert asked["clip"].nearest(["pocket", "no such model"]) == asked["clip"].default
    assert asked["clip"].nearest(["pocket"]) == ["pocket"]
    assert asked["zoom"].nearest("x" * 3000) == asked["zoom"].default


def test_the_idea_of_a_picture_may_be_mixed_with_words():
    form = {"prompt": "a fox", "start": "idea", "start_picture": "/tmp/a|b.png"}
    plain = to_recipe(form).init
    assert [term.picture for term in plain.idea] == ["/tmp/a|b.png"]
    mixed = to_recipe({**form, "idea_words": "winter | summer :-1"}).init
    assert [(term.label, term.weight) for term in mixed.idea] == [
        ("a|b.png", 1),
        ("winter", 1),
        ("summer", -1),
    ]


def test_the_words_of_an_idea_name_no_file():
    form = {"prompt": "a fox", "start": "idea", "start_picture": "/tmp/a.png"}
    with pytest.raises(RecipeError, match="cannot be given by path"):
        to_recipe({**form, "idea_words": "[/etc/passwd]"})


def test_effects_go_from_the_form_to_the_recipe_and_back():
    made = to_recipe(
        {
            "prompt": "a tile",
            "wall_kind": "both",
            "overlay_picture": "/a/o.png",
            "overlay_every": 5,
            "lookup_file": "/a/b.cube",
            "rate_factor": "1 - frame/300",
            "cell_shape": "knit",
        }
    )
    assert made.wall.kind == "both"
    assert (made.overlay.picture, made.overlay.every) == ("/a/o.png", 5)
    assert made.colouring.lookup == "/a/b.cube"
    assert made.optimizer.factor == "1 - frame/300"
    assert made.pixels.shape == "knit"
    values = recipe_values(made)
    assert (values["wall_kind"], values["rate_factor"]) == ("both", "1 - frame/300")


def test_the_camera_in_3d_and_a_sound_go_from_the_form_to_the_recipe():
    made = to_recipe(
        {
            "prompt": "a hill",
            "frames": 20,
            "every": 2,
            "dolly": "0.02 + 0.1*bass",
            "tilt": "0:1",
            "sound": "/a/s.mp3",
        }
    )
    assert made.journey.dolly == "0.02 + 0.1*bass"
    assert made.journey.tilt == ((0, 1.0),)
    assert made.journey.audio == "/a/s.mp3"


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"frames": 3, "zoom": "5"}, "zoom", "Zoom per frame: values must be from 0.5 to 2, not 5"),
        ({"rate_factor": "foo("}, "rate_factor", "Learning rate over time: “foo(” is not an expression"),
        ({"frames": 3, "turn": "bass"}, "sound", "an expression follows the sound"),
        (
            {"lookup_file": "/a.cube", "colours_picture": "/a.png"},
            "lookup_file",
            "Colour lookup: colours come",
        ),
        ({"symmetry": -1}, "symmetry", "must be greater than or equal to 0"),
        ({"prompt": "a fox | [noise:x]"}, "prompt", "whole number"),
        ({"steps": 0.5}, "steps", "must be a valid integer"),
    ],
)
def test_an_error_names_its_control_and_is_about_its_field(values, field, said):
    sent = {"prompt": "a fox", "preset": "draft", **values}
    form = CreateForm.read(sent)
    with pytest.raises(RecipeError) as error:
        to_recipe(sent)
    message, found = describe_error(error.value, form)
    assert found == field
    assert said in message


def test_an_error_about_a_file_is_about_the_upload_of_this_name():
    form = CreateForm(pictures=("/tmp/one/a.png", "/tmp/two/b.png"), lookup_file="/tmp/notes.cube")
    assert describe_error(PictureError("“{name}” is broken.", name="notes.cube"), form)[1] == "lookup_file"
    assert describe_error(PictureError("“{name}” is broken.", name="b.png"), form)[1] == "pictures"
    assert describe_error(PictureError("“{name}” is broken.", name="other.png"), form)[1] == ""
