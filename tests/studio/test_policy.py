"""What a policy allows."""

import pytest

from pixgen.errors import ModelError, RecipeError, StudioError
from pixgen.studio import Policy
from tests.studio.fakes import a_recipe

pytestmark = pytest.mark.usefixtures("caches")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"width": 544}, "at most 512 pixels wide and high here: .* than 544×32"),
        ({"height": 544}, "at most 512 pixels"),
        ({"steps": 501}, "at most 500 steps here, not 501"),
        ({"cutouts": {"count": 65}}, "The limit here is 64"),
        ({"prompts": "|".join("abc" * 17)}, "Too many prompts: 51. The limit here is 50"),
        ({"prompts": "a", "changes": [{"step": 1, "prompts": "|".join("abc" * 17)}]}, "51"),
        ({"model": "/etc/passwd"}, "choose pocket"),
        ({"clip": ["pocket", "huge"]}, "“huge” is not offered here: choose pocket"),
        ({"clip": ["hf-hub:org/name"]}, "“hf-hub:org/name” is not offered here"),
        ({"model": "imagenet-16384"}, "“imagenet-16384” is not offered here"),
        ({"model": "a.ckpt"}, "“a.ckpt” is not offered here"),
        ({"config": "/etc/passwd"}, "Your own checkpoints cannot be used here"),
        ({"init": {"sketch": {"model": "a.pt"}}}, "“a.pt” is not offered here"),
        (
            {"init": {"kind": "sketch", "sketch": {"model": "dalle-mini"}}},
            "“dalle-mini” is not offered here",
        ),
    ],
)
def test_strangers_can_only_ask_for_so_much(fields, said):
    with pytest.raises(RecipeError, match=said):
        Policy.for_public().check(a_recipe(**fields))


def test_strangers_may_ask_for_what_the_host_has_fetched(caches):
    (caches / "models").mkdir(parents=True)
    (caches / "models/imagenet-1024.ckpt").touch()
    Policy.for_public().check(a_recipe(model="imagenet-1024"))


def test_what_is_at_the_caps_is_allowed():
    Policy.for_public().check(a_recipe(width=512, height=512, steps=500, cutouts={"count": 64}))


def test_ones_own_machine_takes_more_and_any_model():
    Policy().check(a_recipe(width=1024, height=1024, steps=2000, model="mine", clip=["a", "b"]))


def test_the_line_is_as_long_as_the_policy_says():
    policy = Policy(waiting=2, jobs_per_owner=None)
    policy.check_queue(waiting=1, of_owner=99)
    with pytest.raises(StudioError, match=r"full \(2 pictures are waiting\)"):
        policy.check_queue(waiting=2, of_owner=0)


def idea(terms: str, model: str) -> dict:
    return {"init": {"kind": "idea", "idea": terms, "sketch": {"model": model}}}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (idea("a fox", "dalle-mini"), "“dalle-mini” reads text only, not pictures or ideas"),
        (
            idea("[a.png] | winter", "karlo"),
            "“karlo” reads ideas of pictures only, without text",
        ),
        (
            {"init": {"kind": "sketch", "sketch": {"model": "dalle-mega", "looks": 1}}},
            "has no setting looks",
        ),
        (
            {"init": {"kind": "sketch", "sketch": {"model": "karlo", "top_k": 9}}},
            "It has guidance",
        ),
        (
            {
                "init": {
                    "kind": "picture",
                    "picture": "a",
                    "mask": "b",
                    "sketch": {"model": "karlo"},
                }
            },
            "paints whole pictures only",
        ),
    ],
)
def test_what_a_sketcher_cannot_do_is_said_before_it_is_loaded(fields, said):
    with pytest.raises(RecipeError, match=said):
        Policy().check(a_recipe(**fields))


def test_what_a_sketcher_can_do_is_allowed():
    for fields in (
        idea("[a.png] | winter :2", "pocket"),
        idea("[a.png] | [b.png]", "karlo"),
        {"init": {"kind": "sketch", "sketch": {"model": "dalle-mini", "top_k": 9}}},
        {"init": {"kind": "codes", "sketch": {"model": "karlo", "looks": 1}}},  # it sketches nothing
    ):
        Policy().check(a_recipe(**fields))


def test_an_unknown_sketcher_is_named_with_those_there_are():
    with pytest.raises(
        ModelError, match="no sketch model “raphael”: choose pocket, dalle-mini, dalle-mega, karlo"
    ):
        Policy().check(a_recipe(init={"kind": "sketch", "sketch": {"model": "raphael"}}))
