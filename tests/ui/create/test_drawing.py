"""What is drawn on the page, as a start and as regions."""

import base64
import io
import json
from contextlib import ExitStack

import pytest
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.ui.create.drawn import DrawnInputs, pad_html
from pixgen.ui.create.form import CreateForm
from pixgen.ui.create.form_recipe import describe_error
from pixgen.ui.i18n import ENGLISH
from tests.ui.create.test_actions import painted, session_after
from tests.ui.forms import to_recipe, with_drawn


def address(colour: str) -> str:
    data = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(data, "PNG")
    return f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"


def drawn(start: str = "", **regions: str) -> str:
    return json.dumps({"start": start, "regions": {key[1:]: data for key, data in regions.items()}})


def asked(files: ExitStack, *, run=None, **values):
    form = {"prompt": "a fox | a lake", **values}
    drawn = DrawnInputs.read(CreateForm.read(form), files=files)
    return with_drawn(to_recipe(form), form, drawn, run)


def test_a_drawing_is_the_start_as_far_away_as_one_likes():
    with ExitStack() as files:
        recipe, trusted = asked(
            files,
            start="drawn",
            drawn=drawn(address("red")),
            start_strength=0.4,
            start_fit="contain",
        )
        start = recipe.init
        assert (start.kind, start.strength, start.fit) == ("picture", 0.4, "contain")
        assert start.picture in trusted
        with Image.open(start.picture) as kept:
            assert kept.convert("RGB").getpixel((3, 3)) == (255, 0, 0)


def test_a_drawing_can_go_on_to_a_side():
    with ExitStack() as files:
        recipe, _ = asked(
            files, start="drawn", drawn=drawn(address("red")), start_extend="right", start_strength=0.4
        )
        assert (recipe.init.extend, recipe.init.strength) == ("right", 0)


def test_each_painted_region_is_its_prompts_by_number():
    with ExitStack() as files:
        recipe, trusted = asked(
            files,
            prompt="a fox @left | a lake ^ an owl",
            drawn=drawn(_1=address("white"), _9=address("white")),
        )
        (fox, lake), (owl,) = recipe.prompts
        assert (fox.region, fox.mask) == ("everywhere", trusted[0])
        assert owl.mask == trusted[0]
        assert lake.mask == ""


def test_an_uploaded_video_is_the_region_of_its_prompt_instead_of_what_is_brushed():
    with ExitStack() as files:
        recipe, trusted = asked(
            files,
            prompt="a fox @[the sky] | a lake @left",
            drawn=drawn(_1=address("white"), _2=address("white")),
            region_video="/uploads/walk.mp4",
            region_prompt=2,
        )
        ((fox, lake),) = recipe.prompts
        assert (fox.where, fox.mask) == ("", trusted[0])
        assert (lake.region, lake.mask) == ("everywhere", "/uploads/walk.mp4")
        assert "/uploads/walk.mp4" in trusted


def test_a_video_for_a_prompt_that_is_not_there_is_an_error_of_its_field():
    with ExitStack() as files, pytest.raises(RecipeError) as error:
        asked(files, region_video="/uploads/walk.mp4", region_prompt=3)
    assert str(error.value) == "A region names prompt 3, but the number of prompts is 2."
    assert describe_error(error.value, CreateForm())[1] == "region_prompt"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"start": "drawn"}, "draw it first"),
        ({"start": "last"}, "no last picture"),
        ({"drawn": "{"}, "did not arrive"),
        ({"drawn": '{"start": ""}'}, "did not arrive"),
        ({"drawn": drawn(_1="data:text/html,x")}, "brush over it again"),
        ({"drawn": drawn(_1="data:image/png;base64,AAAA")}, "brush over it again"),
    ],
)
def test_what_is_missing_or_broken_is_a_sentence(values, said):
    with ExitStack() as files, pytest.raises(RecipeError, match=said):
        asked(files, **values)


def test_nobody_types_a_path_as_a_region():
    with pytest.raises(RecipeError, match="cannot be given by path"):
        to_recipe({"prompt": "a fox @[/etc/secret.png]"})


def test_a_region_and_the_last_picture_are_kept_with_the_run(studio, visitor):
    form = {"prompt": "a fox | a lake", "steps": 2, "size": "64x64", "seed": "1", "preset": "draft"}
    visitor = session_after(painted(studio, visitor, **form))
    first = visitor.run(studio)
    again = {**form, "start": "last", "drawn": drawn(_2=address("white"))}
    second = session_after(painted(studio, visitor, **again)).run(studio)
    assert second.recipe.init.picture.startswith("inputs/")
    mask = second.recipe.prompts[0][1].mask
    assert mask.startswith("inputs/")
    assert (second.folder / mask).is_file()
    kept = second.folder / second.recipe.init.picture
    assert kept.read_bytes() == first.picture.read_bytes()


def test_the_pad_is_there_and_put_away():
    html = pad_html(ENGLISH)
    assert "hidden" in html
    assert html.count("data-brush") == 3
