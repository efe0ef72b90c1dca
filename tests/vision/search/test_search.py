"""Searching: the order, the filters, the folding, and what strangers may write into them."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixgen.errors import SearchError
from pixgen.vision.search.collection import FEWEST_FOR_INDEX, MOST_HITS, Collection, Row, find_nearest
from pixgen.vision.search.library import Library, check_name, default_name
from pixgen.vision.search.query import Filter, parse_date

DAY = datetime(2026, 5, 17)


def unit(*values: float) -> np.ndarray:
    vector = np.zeros(8, np.float32)
    vector[: len(values)] = values
    return vector / np.linalg.norm(vector)


def row(path: str, **more) -> Row:
    facts = {
        "size": 1,
        "modified": int(DAY.timestamp()) * 10**9,
        "sha256": path,
        "width": 64,
        "height": 64,
    }
    return Row(path=path, **{**facts, **more})


ROWS = (
    (row("a.png"), unit(1)),
    (row("trips/b.png", width=640, height=480), unit(1, 0.5)),
    (row("trips/sea/c.png", modified=int((DAY + timedelta(1)).timestamp()) * 10**9), unit(1, 1)),
    (
        row("trips0/d.png", prompt="A red FOX | snow", preset="draft", model="pocket", seed=7, owner="ada"),
        unit(0.5, 1),
    ),
    (row("trip/e.png", seed=8, owner="o'brien", prompt='100% \\ "quoted"'), unit(0, 1)),
)


@pytest.fixture
def collection(library) -> Collection:
    """Five pictures between two directions."""
    made = library.create("five", "tiny", dimensions=8)
    made.add([each for each, _ in ROWS], np.stack([vector for _, vector in ROWS]))
    return made


def found(collection, vector=None, **how) -> list[str]:
    return [hit.row.path for hit in find_nearest(collection, unit(1) if vector is None else vector, **how)]


def test_the_nearest_come_first_with_their_cosines(collection):
    hits = find_nearest(collection, unit(1))
    assert [hit.row.path for hit in hits] == [each.path for each, _ in ROWS]
    assert [hit.similarity for hit in hits] == pytest.approx(
        [1, 1 / 1.25**0.5, 0.5**0.5, 0.5 / 1.25**0.5, 0], abs=1e-5
    )
    assert hits[1].row == ROWS[1][0]


def test_top_and_threshold_bound_what_is_shown(collection):
    assert found(collection, top=2) == ["a.png", "trips/b.png"]
    assert found(collection, threshold=0.6) == ["a.png", "trips/b.png", "trips/sea/c.png"]
    assert found(collection, unit(0, 0, 1), threshold=0.5) == []


def test_the_query_picture_is_left_out(collection):
    vector = collection.vector("trips/b.png")
    assert found(collection, vector, top=2, without="trips/b.png") == ["trips/sea/c.png", "a.png"]
    assert collection.vector("not there.png") is None
    collection.add([row("copy.png")], vector[None])
    assert found(collection, vector, top=2, without="trips/b.png") == [
        "copy.png",
        "trips/sea/c.png",
    ]


@pytest.mark.parametrize(
    ("only", "paths"),
    [
        ({}, ["a.png", "trips/b.png", "trips/sea/c.png", "trips0/d.png", "trip/e.png"]),
        ({"folder": "trips"}, ["trips/b.png", "trips/sea/c.png"]),
        ({"folder": "trips/"}, ["trips/b.png", "trips/sea/c.png"]),
        ({"folder": "trips/sea"}, ["trips/sea/c.png"]),
        ({"folder": "tri"}, []),
        ({"side": 480}, ["trips/b.png"]),
        ({"side": 481}, []),
        ({"after": DAY + timedelta(1)}, ["trips/sea/c.png"]),
        ({"before": DAY + timedelta(1), "folder": "trips"}, ["trips/b.png"]),
        ({"prompt": "red fox"}, ["trips0/d.png"]),
        ({"prompt": "100% \\"}, ["trip/e.png"]),
        ({"prompt": "%"}, ["trip/e.png"]),
        ({"preset": "draft", "model": "pocket", "seed": 7}, ["trips0/d.png"]),
        ({"seed": 8}, ["trip/e.png"]),
        ({"owner": "ada"}, ["trips0/d.png"]),
        ({"owner": "o'brien"}, ["trip/e.png"]),
        ({"owner": ""}, ["a.png", "trips/b.png", "trips/sea/c.png"]),
    ],
)
def test_filters(collection, only, paths):
    assert found(collection, only=Filter(**only)) == paths


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", "x') OR ('1'='1", "%", "_", "\\", '"', "\0", "ada' OR owner <> '", "日本", "`x`"]
)
def test_hostile_filter_texts_are_literals(collection, text):
    for name in ("folder", "preset", "model", "owner"):
        assert found(collection, only=Filter(**{name: text})) == []
    assert collection.vector(text) is None
    collection.remove([text])
    assert len(collection) == len(ROWS)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_a_search_error(collection, text):
    try:
        only = Filter(prompt=text)
    except SearchError:
        return
    assert set(found(collection, only=only)) == {
        each.path for each, _ in ROWS if text.lower() in each.prompt.lower()
    }


def test_a_filter_has_bounds():
    for wrong in ({"folder": "x" * 2000}, {"prompt": "\ud800"}, {"seed": -1}, {"side": 2**40}):
        with pytest.raises(SearchError):
            Filter(**wrong)


def test_near_duplicates_are_folded_into_the_best(collection):
    nearly = unit(1, 0.01)
    collection.add([row(f"copy {number}.png") for number in range(30)], np.stack([nearly] * 30))
    hits = find_nearest(collection, unit(1), top=3)
    assert [hit.row.path for hit in hits] == ["a.png", "trips/b.png", "trips/sea/c.png"]
    assert len(hits[0].copies) == 30
    assert len(find_nearest(collection, unit(1), top=40, fold=False)) == 35


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"top": 0}, f"from 1 to {MOST_HITS}"),
        ({"top": MOST_HITS + 1}, f"from 1 to {MOST_HITS}"),
        ({"threshold": 1.5}, "choose"),
    ],
)
def test_invalid_input_is_a_search_error(collection, how, said):
    with pytest.raises(SearchError, match=said):
        find_nearest(collection, unit(1), **how)


def test_an_approximate_index_finds_nearly_the_same(library):
    chance = np.random.default_rng(4)
    vectors = chance.normal(size=(FEWEST_FOR_INDEX, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = library.create("many", "tiny", dimensions=8)
    made.add([row(f"{number}.png") for number in range(len(vectors))], vectors)
    assert not made.approximate
    made.make_approximate()
    assert made.approximate
    shared = 0
    for query in vectors[:20]:
        exact = found(made, query, top=10, fold=False, exact=True)
        assert exact == [f"{number}.png" for number in np.argsort(-(vectors @ query))[:10]]
        shared += len({*exact} & {*found(made, query, top=10, fold=False)})
    assert shared / 200 >= 0.95
    made.add([row("later.png")], unit(0, 0, 0, 1)[None])
    assert found(made, unit(0, 0, 0, 1), top=1) == ["later.png"]
    made.compact()
    assert found(made, unit(0, 0, 0, 1), top=1) == ["later.png"]


def test_a_small_collection_needs_no_index(collection):
    with pytest.raises(SearchError, match="has 5 pictures: an approximate index needs at least 1000"):
        collection.make_approximate()


def test_collections_are_listed_and_reopened(library, collection):
    library.create("five", "other/model", dimensions=4)
    again = Library(library.address)
    assert [(each.name, each.model, len(each)) for each in again.collections()] == [
        ("five", "other/model", 0),
        ("five", "tiny", 5),
    ]
    assert found(again.open("five", "tiny"), top=1) == ["a.png"]


def test_an_empty_library_has_none_and_writes_nothing(tmp_path):
    assert Library(tmp_path / "none").collections() == []
    assert not (tmp_path / "none").exists()


def test_an_unknown_collection_lists_the_existing_ones(library, collection):
    with pytest.raises(SearchError, match="There is no collection “six” for the model tiny: choose five"):
        library.open("six", "tiny")
    with pytest.raises(SearchError, match="pixgen index FOLDER"):
        library.open("five", "huge")


def test_a_name_belongs_to_one_folder_and_one_model_size(library):
    library.create("five", "tiny", dimensions=8, source="/pictures")
    assert library.create("five", "tiny", dimensions=8, source="/pictures").source == "/pictures"
    with pytest.raises(SearchError, match="another folder"):
        library.create("five", "tiny", dimensions=8, source="/others")
    with pytest.raises(SearchError, match="a different “tiny”"):
        library.create("five", "tiny", dimensions=16, source="/pictures")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../x",
        "a/b",
        "x" * 60,
        ".x",
        "a b",
        "-a",
        "a\n",
        "é".encode().decode("latin-1") + "\x01",
    ],
)
def test_invalid_collection_names_are_refused(name):
    with pytest.raises(SearchError, match="letters, digits"):
        check_name(name)


def test_a_folder_gives_a_name(tmp_path):
    for folder, name in (
        ("My Pictures (2026)", "My-Pictures-2026"),
        ("日本", "日本"),
        ("Photos", "Photos"),
        ("İzmir", "İzmir"),
        ("हिन्दी", "हिन्दी"),
        ("Cafe\u0301", "Café"),
        ("...", "pictures"),
        ("🦊", "pictures"),
        ("x" * 60, "x" * 48),
    ):
        assert default_name(tmp_path / folder) == name
        check_name(name)


def test_dates(tmp_path):
    assert parse_date("2026-11-23") == datetime(2026, 11, 23)
    assert parse_date(" 2026-11-23T18:30 ").hour == 18
    for wrong in ("", "yesterday", "2026-13-01", "0001-01-01", "9999999-01-01"):
        with pytest.raises(SearchError, match="is not a date"):
            parse_date(wrong)


def test_a_broken_collection_is_a_search_error(library, collection):
    import shutil

    shutil.rmtree(library.address)
    with pytest.raises(SearchError, match="cannot be read or written"):
        find_nearest(collection, unit(1))


def test_an_object_store_s_address_works_as_a_folder_does():
    shared = Library("memory://shared")  # LanceDB's own store without a disk stands for s3://
    made = shared.create("sea", "pocket", dimensions=4)
    rows = [Row(path=f"{n}.png", size=1, modified=1, sha256=str(n), width=1, height=1) for n in range(4)]
    made.add(rows, np.eye(4, dtype=np.float32))
    ((row, score, _),) = shared.open("sea", "pocket").nearest(np.eye(4, dtype=np.float32)[2], top=1)
    assert (row.path, score) == ("2.png", pytest.approx(1, abs=1e-5))
    assert [each.name for each in shared.collections()] == ["sea"]


@pytest.mark.parametrize("name", ["Photos", "日本", "my-birds", "हिन्दी"])
def test_a_collection_keeps_its_letters(library, name):
    library.create(name, "tiny", dimensions=8, source="/pictures")
    library.create(name.lower() + "-x", "tiny", dimensions=8, source="/others")
    assert library.open(name, "tiny").source == "/pictures"
    assert name in {each.name for each in library.collections()}
    library.remove(name)
    assert [each.name for each in library.collections()] == [name.lower() + "-x"]


def test_names_that_differ_in_capitals_alone_are_two_collections(library):
    for name in ("Photos", "photos"):
        library.create(name, "tiny", dimensions=8, source=f"/{name}")
    assert library.open("Photos", "tiny").source == "/Photos"
    assert library.open("photos", "tiny").source == "/photos"
