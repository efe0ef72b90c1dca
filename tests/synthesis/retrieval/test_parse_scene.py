"""What a text shows: its things, their number, colour, size and place, and what is behind them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixgen.models.sketchers.common_words import MATERIALS
from pixgen.models.sketchers.pocket import Lexicon, load_exemplars
from pixgen.paths import ASSETS
from pixgen.synthesis.retrieval.layout import (
    ASIDE_SIZE,
    LARGE_SIZE,
    MOST_OF_A_KIND,
    PAIR_SIZE,
    SMALL_SIZE,
    USUAL_SIZE,
)
from pixgen.synthesis.retrieval.parse_scene import LOW, parse_scene

FOX, HOUSE, ENGINE, ORANGE, TABLE, CHEER, CROWN = (1,), (2, 3), (4,), (5,), (6,), (7,), (9,)
LEXICON = Lexicon(
    names={
        "fox": [1], "house": [2, 3], "fire engine": [4], "orange": [5], "table": [6], "cheer": [7],
        "kitchen": [8], "crown": [9], "national park": [10],
    },
    weak=["cheer"], lettered=[], worn=[9],
    colours={"red": [200, 0, 0], "dark red": [90, 0, 0], "orange": [250, 130, 0]},
    small=["small"], large=["huge"], fillers=["cute"],
    places={"left": ["on the left"], "right": ["on the right"], "top": [], "bottom": []},
    hands={"black and white picture": "black and white", "silhouette": "silhouette"},
    grounds={
        "on a snowy hill": "a snowy hill", "a fire": "a fire", "fire": "a fire", "at night": "a starry night",
        "park": "a green meadow",
    },
)  # fmt: skip


def exemplars(text: str) -> list[tuple[int, ...]]:
    return [thing.exemplars for thing in parse_scene(text, LEXICON).things]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a fox", [FOX]),
        ("Foxes, and a house", [FOX, FOX, HOUSE]),
        ("a fire engine", [ENGINE]),
        ("an orange", [ORANGE]),
        ("orange", [ORANGE]),
        ("two oranges and a fox", [ORANGE, ORANGE, FOX]),
        ("an orange and a fox", [ORANGE, FOX]),
        ("an orange fox", [FOX]),
        ("an orange cute fox", [FOX]),
        ("an orange and red fox", [FOX]),
        ("a red and orange fox", [FOX]),
        ("a house in orange", [HOUSE]),
        ("a kitchen table", [TABLE]),  # side by side, the last one is meant
        ("a cheer for the fox and the house", [FOX, HOUSE]),  # the surer names first
        ("cheer", [CHEER]),
        ("a fox, a fox and a house", [FOX, HOUSE]),
        ("a fox, house, crown", [FOX, HOUSE, CROWN]),
        ("fox house", [HOUSE]),
        ("a foxglove", []),
        ("", []),
    ],
)
def test_names_are_found(text, expected):
    assert exemplars(text) == expected


def test_a_colour_goes_to_the_thing_that_it_stands_before():
    first, second = parse_scene("a cute dark red fox next to a red house", LEXICON).things
    assert first.colour == (90, 0, 0)
    assert second.colour == (200, 0, 0)


def test_a_setting_is_no_thing_and_things_stand_on_it():
    shown = parse_scene("a fox on a snowy hill", LEXICON)
    assert shown.ground == "a snowy hill"
    assert shown.things[0].y == 0.5 + LOW
    assert parse_scene("a fire engine at night", LEXICON).ground == "a starry night"


def test_of_two_settings_the_first_is_meant():
    assert parse_scene("a fire at night", LEXICON).ground == "a fire"
    assert parse_scene("a night in the park: fire", LEXICON).ground == "a green meadow"


def test_a_place_is_found_by_its_word_alone_unless_that_belongs_to_a_name():
    assert parse_scene("a fox by the old park", LEXICON).ground == "a green meadow"
    shown = parse_scene("a fox in the national park", LEXICON)
    assert shown.ground == ""
    assert [thing.exemplars for thing in shown.things] == [FOX, (10,)]


def test_a_plain_background_is_its_colours():
    shown = parse_scene("a fox on a dark red background", LEXICON)
    assert shown.colours == ((90, 0, 0),)
    assert shown.ground == ""
    assert shown.things[0].colour is None
    striped = parse_scene("a fox on a striped red background", LEXICON)
    assert striped.ground == "on a striped red background"
    assert striped.colours == ()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("a fox", USUAL_SIZE),
        ("a small fox", SMALL_SIZE),
        ("a huge fox", LARGE_SIZE),
        ("a fox on the left", ASIDE_SIZE),
    ],
)
def test_sizes(text, size):
    assert parse_scene(text, LEXICON).things[0].size == size


def test_places():
    (aside,) = parse_scene("a small fox on the right", LEXICON).things
    assert aside.x > 0.7
    fox, house = parse_scene("a fox on the right and a house", LEXICON).things
    assert fox.x > house.x
    fox, house = parse_scene("a fox above a house", LEXICON).things
    assert (fox.edge, house.edge) == ("bottom", "top")
    fox, house = parse_scene("a fox under a house", LEXICON).things
    assert (fox.edge, house.edge) == ("top", "bottom")


def test_what_stands_on_something_touches_it():
    upper, lower = parse_scene("a fox on a house", LEXICON).things
    assert 0 < upper.y - lower.y < 0.05


def test_a_rider_overlaps_what_it_rides_and_is_in_front():
    rider, ridden = parse_scene("a fox riding a fire engine", LEXICON).things
    assert (rider.exemplars, ridden.exemplars) == (FOX, ENGINE)
    assert rider.y - ridden.y > 0.1


def test_what_is_worn_is_on_top_and_in_front():
    worn, wearer = parse_scene("a fox wearing a red crown", LEXICON).things
    assert (worn.exemplars, worn.colour, worn.edge) == ((9,), (200, 0, 0), "bottom")
    assert (wearer.exemplars, wearer.edge) == (FOX, "top")
    assert worn.size < wearer.size


def test_what_is_held_is_smaller_and_in_front():
    held, holder = parse_scene("a fox with an orange", LEXICON).things
    assert (held.exemplars, holder.exemplars) == (ORANGE, FOX)
    assert held.size < holder.size
    beside = parse_scene("a fox on the left with an orange", LEXICON).things
    assert [thing.size for thing in beside] == [PAIR_SIZE, PAIR_SIZE]


def test_several_stand_beside_each_other():
    things = parse_scene("three red foxes", LEXICON, version=2).things
    assert [thing.x for thing in things] == sorted({thing.x for thing in things})
    assert len(things) == 3
    assert all(thing.colour == (200, 0, 0) for thing in things)
    assert [thing.size for thing in parse_scene("foxes", LEXICON).things] == [PAIR_SIZE, PAIR_SIZE]


def test_a_style_is_parsed_and_is_not_a_thing():
    shown = parse_scene("a black and white picture of a fox on a snowy hill", LEXICON)
    assert shown.style == "black and white"
    assert [thing.colour for thing in shown.things] == [None]
    assert parse_scene("a fox", LEXICON).style == ""


@given(st.text(alphabet="aforexd ,background'-.onhusetw", max_size=80))
def test_any_text_can_be_read(text):
    assert len(parse_scene(text, LEXICON).things) <= 3 * MOST_OF_A_KIND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a glass of orange", [ORANGE]),
        ("a crown of the fox", [(9,)]),
        ("two boxes of oranges", [ORANGE, ORANGE]),
        ("a table full of oranges", [TABLE]),
        ("a fox in front of a house", [FOX, HOUSE]),
        ("a crown, and of a fox nothing", [(9,), FOX]),
    ],
)
def test_two_names_joined_by_of_are_one_thing(text, expected):
    lexicon = replace(LEXICON, names={**LEXICON.names, "glass": [11], "box": [12]})
    assert [thing.exemplars for thing in parse_scene(text, lexicon).things] == expected


def test_what_fills_a_thing_is_drawn_inside_of_it():
    lexicon = replace(LEXICON, names={**LEXICON.names, "car": [11], "jar": [12], "honey": [13], "full": [14]})
    for text in ("a car full of honey", "a car filled with honey"):
        content, container = parse_scene(text, lexicon).things
        assert (content.exemplars, container.exemplars) == ((13,), (11,))
        assert content.size < container.size
    assert [thing.exemplars for thing in parse_scene("a jar filled with honey", lexicon).things] == [(13,)]


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("a fox sitting in front of a house", "a fox in front of a house"),
        ("a fox parked behind a house", "a fox behind a house"),
        ("a fox jumping over a house", "a fox over a house"),
        ("a fox, highly detailed, depth of field, 4k", "a fox"),
        ("a massive fox", "a huge fox"),
        ("a miniature fox", "a small fox"),
    ],
)
def test_postures_and_words_of_quality_are_as_if_they_were_not_there(said, plain):
    lexicon = replace(LEXICON, names={**LEXICON.names, "field": [12], "detailed": [13]})
    assert parse_scene(said, lexicon).things == parse_scene(plain, lexicon).things


@pytest.mark.parametrize(
    ("text", "ground", "light"),
    [
        ("a fox on a snowy hill at night", "a snowy hill", "night"),
        ("a fox at night", "a starry night", ""),
        ("a fox at night in a park", "a starry night", ""),
        ("a fox on a snowy hill", "a snowy hill", ""),
    ],
)
def test_a_place_has_its_light(text, ground, light):
    scene = parse_scene(text, LEXICON)
    assert (scene.ground, scene.light) == (ground, light)
    assert parse_scene(text, LEXICON, version=3).light == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a woman with long ginger hair", [(12,)]),
        ("a girl with red hair and a fox", [(12,), FOX]),
        ("a woman with green hair", [(11,)]),
        ("a man with a beard", [(15,)]),
        ("a man frowning with green hair", [(18,)]),
        ("a fox with hair", [(13,), FOX]),
    ],
)
def test_hair_is_no_thing_beside_a_person(text, expected):
    more = {
        "woman": [11], "girl": [16], "woman red hair": [12], "hair": [13], "man": [14], "man beard": [15], "beard": [17],
        "man frowning": [18],
    }  # fmt: skip
    lexicon = replace(LEXICON, names={**LEXICON.names, **more})
    assert [thing.exemplars for thing in parse_scene(text, lexicon).things] == expected


def test_a_posture_that_is_drawn_stays():
    lexicon = replace(LEXICON, names={**LEXICON.names, "woman": [11], "woman standing": [12]})
    assert parse_scene("a woman standing behind a fox", lexicon).things[1].exemplars == (12,)


def test_earlier_recipes_parse_a_measure_as_a_thing_beside_what_it_holds():
    lexicon = replace(LEXICON, names={**LEXICON.names, "glass": [11]})
    assert len(parse_scene("a glass of orange", lexicon, version=1).things) == 2


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("a fox, dark red background", ((90, 0, 0),)),
        ("a fox, a red and orange background", ((200, 0, 0), (250, 130, 0))),
        ("a house, a red fox on an orange background", ((250, 130, 0),)),
        ("a fox, background", ()),
    ],
)
def test_a_background_needs_no_preposition(text, colours):
    assert parse_scene(text, LEXICON).colours == colours
    assert parse_scene("a fox, dark red background", LEXICON, version=1).colours == ()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("four foxes", 4),
        ("a dozen foxes", 12),
        ("12 small red foxes", 12),
        ("a couple of foxes", 2),
        ("ten foxes on a snowy hill", 10),
        ("ten arctic foxes", 10),
        ("two dogs, three foxes", 3),
    ],
)
def test_up_to_twelve_of_a_kind_fill_rows(text, count):
    things = parse_scene(text, LEXICON).things
    assert [thing.exemplars for thing in things] == [FOX] * count
    assert len({(thing.x, thing.y) for thing in things}) == count
    for thing in things:
        assert thing.size / 2 <= min(thing.x, thing.y, 1 - thing.x, 1 - thing.y) * 1.1
        near = [abs(thing.x - each.x) + abs(thing.y - each.y) for each in things if each is not thing]
        assert min(near) > 0.8 * thing.size


def test_each_kind_stands_in_its_number_on_its_side():
    things = parse_scene("two foxes and three houses", LEXICON).things
    assert [thing.exemplars for thing in things] == [FOX] * 2 + [HOUSE] * 3
    assert max(thing.x for thing in things[:2]) < 0.5 < min(thing.x for thing in things[2:])


def test_several_things_stand_above_what_they_are_on():
    *foxes, table = parse_scene("three foxes on a table", LEXICON).things
    assert [fox.exemplars for fox in foxes] == [FOX] * 3
    assert max(fox.y for fox in foxes) < table.y


@pytest.mark.parametrize(
    ("text", "nearer", "farther"),
    [
        ("a fox in front of a house", FOX, HOUSE),
        ("a fox behind a house", HOUSE, FOX),
        ("a fox inside a crown", FOX, CROWN),
        ("a fox in the house", FOX, HOUSE),
    ],
)
def test_one_thing_may_hide_a_part_of_another(text, nearer, farther):
    front, back = parse_scene(text, LEXICON).things
    assert (front.exemplars, back.exemplars) == (nearer, farther)
    assert abs(front.x - back.x) < (front.size + back.size) / 2


def test_earlier_versions_leave_out_what_they_did_not_draw():
    things = parse_scene("ten foxes and a house", LEXICON, version=2).things
    assert [thing.exemplars for thing in things] == [FOX, HOUSE]
    assert len(parse_scene("four foxes", LEXICON, version=2).things) == 3


def test_an_unknown_word_takes_no_colour_from_another_thing():
    fox, house = parse_scene("a red fox watches a house", LEXICON).things
    assert (fox.colour, house.colour) == ((200, 0, 0), None)
    fox, house = parse_scene("a red fox holds houses", LEXICON).things[:2]
    assert house.colour is None


def test_what_is_something_of_a_thing_shows_the_thing():
    assert exemplars("a fox's head") == exemplars("a fox’s head") == [FOX]


def test_children_are_found_since_version_3():
    lexicon = replace(LEXICON, names={"child": [1]})
    assert [thing.exemplars for thing in parse_scene("three children", lexicon).things] == [FOX] * 3
    assert not parse_scene("three children", lexicon, version=2).things


def test_earlier_versions_know_neither_plurals_among_the_names_nor_large_numbers():
    lexicon = replace(LEXICON, names={**LEXICON.names, "teeth": [14]})
    found = [len(parse_scene("white teeth", lexicon, version=version).things) for version in (1, 2, 3)]
    assert found == [1, 1, 2]
    found = [len(parse_scene("ten orange", LEXICON, version=version).things) for version in (1, 2, 3)]
    assert found == [0, 0, 10]  # unless ten is a number, orange is a colour


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("an oil painting of a fox", "oil"),
        ("a fox, ink wash", "ink"),
        ("a fox in the style of a linocut", "print"),
        ("poster of a fox", "poster"),
        ("a fox, movie poster", "poster"),
        ("a black and white photo of a fox", "black and white"),
        ("a fox in silhouette style", "silhouette"),
        ("a blueprint of a house", "blueprint"),
    ],
)
def test_styles_are_read_by_many_names_since_version_4(text, style):
    assert parse_scene(text, LEXICON).style == style
    assert parse_scene(text, LEXICON, version=3).style in ("", "silhouette")


def test_what_may_be_a_thing_is_a_style_only_where_the_text_says_so():
    lexicon = replace(LEXICON, names={**LEXICON.names, "poster": [15]})
    found = parse_scene("a fox beside a poster", lexicon)
    assert (len(found.things), found.style) == (2, "")


def test_a_material_colours_the_thing_that_is_made_of_it_and_is_a_thing_by_itself():
    lexicon = replace(LEXICON, names={**LEXICON.names, "glass": [16]})
    (fox,) = parse_scene("a golden fox", lexicon).things
    assert fox.colour == MATERIALS["golden"]
    (fox,) = parse_scene("a glass fox", lexicon).things
    assert (fox.exemplars, fox.colour) == (FOX, MATERIALS["glass"])
    assert {thing.exemplars for thing in parse_scene("a fox with a glass", lexicon).things} == {FOX, (16,)}
    assert parse_scene("a golden fox", lexicon, version=3).things[0].colour is None


def test_a_close_up_shows_its_only_thing_large():
    (fox,) = parse_scene("close-up portrait of a fox", LEXICON).things
    assert fox.size == LARGE_SIZE
    assert [thing.size for thing in parse_scene("portrait of two foxes", LEXICON).things] == [PAIR_SIZE] * 2


def test_people_are_found_as_male_and_female():
    lexicon = replace(
        LEXICON, names={"man teacher": [17], "woman teacher": [18], "teacher": [19], "book": [20]}
    )
    things = parse_scene("a young female teacher of literature with a book", lexicon).things
    assert {thing.exemplars for thing in things} == {(18,), (20,)}
    assert parse_scene("a male teacher", lexicon).things[0].exemplars == (17,)


def test_no_name_of_the_bundled_drawings_is_taken_for_a_style_material_or_colour():
    lexicon = load_exemplars(ASSETS / "pocket").lexicon
    for name in set(lexicon.names) - {"full"}:  # a bowl full of soup is no full moon
        before, now = (parse_scene(f"a {name}", lexicon, version=version).things for version in (3, 4))
        assert [thing.exemplars for thing in now] == [thing.exemplars for thing in before], name


@pytest.fixture
def bundled():
    return load_exemplars(ASSETS / "pocket").lexicon


class TestThreeThings:
    """Since version 5, three things stand as they relate to each other."""

    @staticmethod
    def by_name(text, bundled, **how):
        names = bundled.extended.names
        things = parse_scene(text, bundled, **how).things
        return {
            word: thing
            for word in text.split()
            for thing in things
            if thing.exemplars == tuple(names.get(word, ()))
        }

    def test_who_wears_and_holds_something(self, bundled):
        things = self.by_name("a fox wearing a hat and holding a book", bundled)
        assert things["hat"].edge == "bottom"
        assert things["hat"].y < 0.4 < things["book"].y
        assert things["book"].x > things["fox"].x
        assert things["fox"].size > 2 * max(things["hat"].size, 0.3)

    def test_a_rider_keeps_the_hat_on(self, bundled):
        for text in ("a cat wearing a hat riding a bicycle", "a cat riding a bicycle wearing a hat"):
            things = self.by_name(text, bundled)
            assert things["hat"].y < things["cat"].y
            assert things["cat"].edge == "bottom"
            assert things["bicycle"].edge == "top"

    def test_beside_somebody_with_a_hat(self, bundled):
        things = self.by_name("a bird wearing a hat next to a castle", bundled)
        assert things["hat"].x == things["bird"].x < things["castle"].x
        things = self.by_name("an owl holding a book next to a castle", bundled)
        assert things["owl"].x < things["book"].x < things["castle"].x
        assert things["book"].x - things["owl"].x < things["owl"].size / 2

    def test_three_beside_each_other_are_larger_than_in_columns(self, bundled):
        text = "a dog , a cat and a tree"
        now, before = (parse_scene(text, bundled, version=version).things for version in (5, 4))
        assert min(each.size for each in now) >= 0.5 > max(each.size for each in before)
        assert len({(each.x, each.y) for each in now}) == 3

    def test_what_is_worn_is_no_second_thing(self, bundled):
        assert len(parse_scene("a man in a business suit on a ladder", bundled).things) == 2
        assert len(parse_scene("a dog wearing a red jacket", bundled).things) == 1
        assert len(parse_scene("a dog wearing a jacket and a hat", bundled).things) == 2

    def test_places_and_actions(self, bundled):
        on, top = (parse_scene(f"a cat {where} a house", bundled).things for where in ("on", "at the top of"))
        assert on == top
        assert parse_scene("a ball held", bundled).things == parse_scene("a ball", bundled).things
        held, kicked = (parse_scene(f"a man {how} a ball", bundled).things for how in ("holding", "kicking"))
        assert held == kicked

    def test_a_breath_of_fire_holds_no_castle(self, bundled):
        things = parse_scene("a dragon breathing fire on a castle", bundled).things
        assert [each.edge for each in things] == ["bottom", "top"]

    def test_a_part_is_no_second_thing(self, bundled):
        for text in (
            "a unicorn with a multicolored mane",
            "a cat with big green eyes",
            "an elephant with a long trunk",
        ):
            assert len(parse_scene(text, bundled).things) == 1
        assert len(parse_scene("a cat and a nose", bundled).things) == 2

    def test_names_are_read_as_before(self, bundled):
        for name in (
            "man in tuxedo",
            "person lifting weights",
            "rolled up newspaper",
            "rolling on the floor laughing",
        ):
            now, before = (parse_scene(f"a {name}", bundled, version=version) for version in (5, 4))
            assert now == before
