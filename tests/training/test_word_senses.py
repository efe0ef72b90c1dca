"""Which thing a name means, when several may have it."""

from pixgen.training.data.drawings import GROUP, own_drawings
from pixgen.training.data.words import A_BEGINNING, A_HEAD, ITS_HEAD, ITS_NAME, KEYWORD, sense_of_name


def record(thing: str, *names: str, group: str = "emoji-5") -> dict:
    return {"thing": thing, "names": list(names), "group": group}


TABLE = [
    record("automobile", "car", "driving"),
    record("police car", "cops"),
    record("racing car"),
    record("tram car"),
    record("red apple"),
    record("apple", group="clipart-food"),
    record("palm tree", "holiday"),
    record("small airplane"),
    record("red book"),
    record("dog on", group="clipart-animals"),
]


def meant(name: str) -> tuple[int, list[str]] | None:
    groups = {each["thing"]: each["group"] for each in TABLE}
    return sense_of_name(TABLE, groups, list(groups)).get(name)


def test_a_whole_name_is_surest():
    assert meant("police car") == (ITS_NAME, ["police car"])


def test_a_first_keyword_comes_before_one_of_many():
    assert meant("car")[1] == ["automobile"]


def test_a_last_word_that_few_share_is_a_name_before_clip_art():
    assert meant("apple") == (ITS_HEAD, ["red apple"])


def test_othermeant_by_name_are_weaker():
    assert meant("palm") == (A_BEGINNING, ["palm tree"])
    assert meant("holiday") == (KEYWORD, ["palm tree"])
    assert A_HEAD < A_BEGINNING


def test_what_pixgen_draws_itself_is_meant_first():
    groups = {"tokyo tower": "emoji-4", "tower": GROUP}
    assert sense_of_name([record("tokyo tower")], groups, list(groups))["tower"] == (
        ITS_NAME,
        ["tower"],
    )


def test_every_own_drawing_shows_something_and_has_an_edge_of_paper():
    for thing, sprite in own_drawings():
        assert sprite.shape == (4, 128, 128), thing
        assert 0.1 < (sprite[3] > 127).mean() < 0.9, thing


def test_words_that_name_no_thing_are_left_out():
    assert meant("driving") is None
    assert meant("small") is None
    assert meant("dog on") is None
    assert meant("red") is None
