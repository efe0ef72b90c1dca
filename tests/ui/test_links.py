"""Links to a picture's settings."""

import base64
import zlib
from datetime import datetime

import pytest

from pixgen.errors import RecipeError
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Policy, Run
from pixgen.ui.links import pack_recipe, picture_link, unpack_recipe


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(data)).decode()


def test_a_recipe_comes_back_from_a_link():
    recipe = make_recipe({"prompts": "a fox | snow :0.5 ^ şehir", "seed": 5, "losses": {"saturation": 2}})
    text = pack_recipe(recipe)
    assert unpack_recipe(text) == recipe
    assert text.replace("-", "").replace("_", "").isalnum()  # nothing that an address would have to escape


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "ü",
        "a" * 30_000,
        packed(b"\xff"),
        packed(b" " * 10**7),
        pack_recipe(make_recipe({"prompts": "-"}))[:-6],
    ],
)
def test_a_broken_link_is_refused_in_a_sentence(text):
    with pytest.raises(RecipeError, match="copy the whole address"):
        unpack_recipe(text)


def test_a_link_to_something_else_is_refused():
    with pytest.raises(RecipeError):
        unpack_recipe(packed(b"[1, 2]"))


@pytest.mark.parametrize("public", [False, True])
def test_the_link_of_a_run_works_for_those_who_may_see_it(tmp_path, public):
    class Rooms:
        policy = Policy.for_public() if public else Policy()

    recipe = make_recipe({"prompts": "a fox"})
    run = Run(folder=tmp_path / "20260101-000000-abcdef", recipe=recipe, state="done", started=datetime.now())
    link = picture_link(run, Rooms)
    if public:  # others cannot open the run
        assert unpack_recipe(link.removeprefix("?recipe=")) == recipe
    else:
        assert link == "?run=20260101-000000-abcdef"
