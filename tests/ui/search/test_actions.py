"""What the Search tab does: the views that follow each other, and what they show."""

import re
import threading
from html import unescape

import pytest

from pixgen.errors import SearchError
from pixgen.models.progress import DownloadProgress, report_download
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Policy
from pixgen.studio.library.library import BUNDLED, RUNS, PictureLibrary
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.search import view as search_view
from pixgen.ui.search.actions import (
    UPLOADED,
    SearchForm,
    first_place,
    like,
    places,
    search,
    to_filter,
    to_query,
    upload,
    with_errors,
)
from pixgen.vision.search.query import EVERYTHING, Filter, Term
from tests.vision.conftest import COLOURS, draw

SAY = ENGLISH


@pytest.fixture
def folder(tmp_path):
    """Six colours, one with a hostile name, and a file that is no picture."""
    for place, colour in enumerate(COLOURS):
        draw(tmp_path / "drawings" / f"{colour}.png", colour, mark=place)
    (tmp_path / "drawings" / "red.png").rename(tmp_path / "drawings" / '<img src=x onerror="1">.png')
    (tmp_path / "drawings" / "broken.png").write_bytes(b"no pixels")
    return tmp_path / "drawings"


@pytest.fixture
def library(studio, folder, tiny_perceptor, monkeypatch):
    """Searches the folder with a tiny CLIP."""
    monkeypatch.setattr(studio, "perceptor", lambda names: tiny_perceptor)
    monkeypatch.setattr("pixgen.vision.search.collection.DUPLICATE", 2.0)  # it finds everything alike
    return PictureLibrary(studio, roots=[folder])


def searched(library, **values):
    form = SearchForm.read({"query": "a fox", "place": "drawings", **values})
    views = search(library, form, uploaded=None, owner="", say=ENGLISH)
    return list(with_errors(views, say=ENGLISH))


def test_the_click_is_answered_before_any_work(library):
    views = search(
        library,
        SearchForm.read({"query": "a fox", "place": "drawings"}),
        uploaded=None,
        owner="",
        say=ENGLISH,
    )
    first = next(views)
    assert first.busy
    assert SAY("Searching") in first.state
    assert first.grid is None
    assert library.library.collections() == []


def test_new_pictures_are_looked_at_and_then_shown(library):
    views = searched(library)
    assert any(SAY("Indexing new pictures") in view.state for view in views)
    last = views[-1]
    assert last.busy is False
    assert len(last.found) == 6
    assert SAY("{count} found", count=6) in last.state
    assert SAY("Skipped: {count}", count=1) in last.state
    assert "broken.png" in last.state
    assert last.grid.count("data-hit=") == 6
    assert last.grid.count("data:image/jpeg;base64,") == 6


def test_how_many_and_how_alike_bound_what_is_shown(library):
    assert len(searched(library, top=2)[-1].found) == 2
    last = searched(library, threshold=1)[-1]
    assert last.found == ()
    assert SAY("No results") in last.state
    assert SAY("Try another search, or fewer filters.") in last.grid


def test_a_threshold_of_nought_is_one(library):
    for_it = searched(library, query="a fox", threshold=0)[-1].found
    against = searched(library, query="- a fox", threshold=0)[-1].found
    assert all(hit.similarity >= 0 for _, hit in (*for_it, *against))
    assert len(for_it) + len(against) == 6


def test_a_picture_finds_itself_and_more_like_it_leaves_it_out(library, folder):
    one = searched(library, query="", picture=str(folder / "blue.png"))[-1].found[0]
    assert one[1].row.path == "blue.png"
    assert one[1].similarity == pytest.approx(1, abs=1e-4)
    last = list(like(library, one, SearchForm(), owner="", say=ENGLISH))[-1]
    assert "blue.png" not in {hit.row.path for _, hit in last.found}
    assert len(last.found) == 5


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"query": " "}, "The search is empty"),
        ({"query": "[/etc/passwd]"}, "cannot be given by path"),
        ({"query": "a + "}, "A term of the search is missing"),
        ({"after": "lately"}, "is not a date"),
        ({"side": -1}, "whole number"),
        ({"place": "../secret"}, "There is no collection"),
        ({"place": UPLOADED}, "There is no collection"),
        ({"top": 100_000}, "from 1 to"),
    ],
)
def test_what_is_not_allowed_is_said_and_what_was_found_stays(library, values, said):
    last = searched(library, **values)[-1]
    assert said in unescape(last.state)
    assert last.failed
    assert last.busy is False
    assert last.grid is None
    assert last.found is None


def test_a_bug_is_not_told(library, monkeypatch, caplog):
    monkeypatch.setattr(library, "embed", lambda query, **how: 1 / 0)
    last = searched(library)[-1]
    assert "division" not in last.state
    assert re.search(r"logged as (\w+)", last.state)[1] in caplog.text


def test_names_cannot_become_html(library):
    last = searched(library)[-1]
    shown = last.grid + last.state
    shown += "".join(search_view.chosen_html(ENGLISH, one, number=0, paths=True) for one in last.found)
    assert "<img src=x" not in shown
    assert "&lt;img src=x" in shown


def test_near_duplicates_are_one_picture_that_names_the_others(library, folder, monkeypatch):
    monkeypatch.setattr("pixgen.vision.search.collection.DUPLICATE", 0.985)
    (folder / "deep").mkdir()
    (folder / "deep" / "blue again.png").write_bytes((folder / "blue.png").read_bytes())
    shown = "".join(
        search_view.chosen_html(ENGLISH, one, number=0, paths=False)
        for one in searched(library, query="", picture=str(folder / "blue.png"))[-1].found
    )
    assert "blue again.png" in shown
    assert "deep" not in shown


def test_in_public_no_path_is_shown(library, folder):
    last = searched(library)[-1]
    for one in last.found:
        assert str(folder) in search_view.chosen_html(ENGLISH, one, number=0, paths=True)
        assert str(folder) not in search_view.chosen_html(ENGLISH, one, number=0, paths=False)
    assert str(folder.parent) not in last.grid + last.state


def test_a_picture_that_has_gone_leaves_a_gap_and_no_error(library, folder):
    (place, hit) = searched(library)[-1].found[0]
    (folder / hit.row.path).unlink()
    search_view._thumbnail.cache_clear()
    assert "<img" not in search_view.chosen_html(ENGLISH, (place, hit), number=0, paths=False)


def test_a_set_of_ones_own_is_ready_to_be_searched(library, folder):
    views = list(upload(library, [str(folder / "blue.png"), str(folder / "broken.png")], say=ENGLISH))
    last, place = views[-1]
    assert (
        SAY.ngettext("{count} picture can be searched", "{count} pictures can be searched", 1) in last.state
    )
    form = SearchForm.read({"query": "x", "place": UPLOADED})
    (*_, shown) = search(library, form, uploaded=place, owner="", say=ENGLISH)
    assert [hit.row.path for _, hit in shown.found] == ["0001-blue.png"]
    with pytest.raises(SearchError, match="None of these files is a picture"):
        list(upload(library, [str(folder / "broken.png")], say=ENGLISH))
    for nothing in ([], None):  # which a program may send
        with pytest.raises(SearchError, match="choose others"):
            list(upload(library, nothing, say=ENGLISH))


def test_every_place_has_a_name(library):
    named = [
        (SAY("pictures painted here"), RUNS),
        (SAY("bundled drawings"), BUNDLED),
        ("drawings", "drawings"),
    ]
    assert places(library, ENGLISH) == named
    assert places(library, ENGLISH, uploaded=True)[-1] == (SAY("your uploads"), UPLOADED)


def test_words_and_a_picture_are_one_sum():
    assert to_query("fox - snow", "/cache/a.png") == (
        Term("fox"),
        Term("snow", weight=-1),
        Term(picture="/cache/a.png"),
    )
    assert to_query("", "/cache/a.png") == (Term(picture="/cache/a.png"),)
    with pytest.raises(SearchError):
        to_query("", None)


def test_the_picture_can_be_a_term_with_its_weight():
    assert to_query("2:[picture] + snow", "/cache/a.png") == (
        Term(picture="/cache/a.png", weight=2),
        Term("snow"),
    )
    assert to_query("snow - [Picture]", "/a.png")[1].weight == -1
    with pytest.raises(SearchError, match="Add the picture"):
        to_query("[picture] + snow", None)
    with pytest.raises(SearchError, match="cannot be given by path"):
        to_query("[picture] + [/etc/passwd]", "/a.png")


def test_looking_at_new_pictures_can_be_stopped_and_the_next_search_goes_on(library, monkeypatch):
    monkeypatch.setattr("pixgen.vision.search.indexing.BATCH", 2)
    counted, stop, seen = SAY("{done} of {total}", done=0, total=7), threading.Event(), []
    form = SearchForm.read({"query": "a fox", "place": "drawings"})
    for view in search(library, form, uploaded=None, owner="", say=ENGLISH, stopped=stop.is_set):
        seen.append(view)
        if counted in (view.state or ""):
            stop.set()
    assert SAY("Stopped") in seen[-1].state
    assert seen[-1].busy is False
    assert seen[-1].grid is None
    assert 0 < len(library.collection(library.places["drawings"])) < 6
    assert len(searched(library)[-1].found) == 6


class Coming:
    """A finder's perceptors, of which one is fetched, half of it until it may go on."""

    def __init__(self, perceptor) -> None:
        self.perceptor, self.may_go_on = perceptor, threading.Event()

    def __call__(self, names):
        if names != ("pocket",):
            report_download(DownloadProgress(names[0], 30_000_000, 60_000_000))
            while not self.may_go_on.wait(0.01):
                report_download(DownloadProgress(names[0], 30_000_000, 60_000_000))
        return self.perceptor


@pytest.fixture
def coming(studio, tiny_perceptor, library, monkeypatch):
    made = Coming(tiny_perceptor)
    monkeypatch.setattr(studio, "perceptor", made)
    yield made
    made.may_go_on.set()


HALF = ENGLISH("{done:,} of {total:,} MB", done=30, total=60)


def test_another_model_is_fetched_in_sight_and_then_looks(library, coming):
    form = SearchForm.read({"query": "a fox", "place": "drawings", "model": "lakes"})
    seen = []
    for view in search(library, form, uploaded=None, owner="", say=ENGLISH):
        seen.append(view)
        if HALF in (view.state or ""):
            coming.may_go_on.set()
    assert any(HALF in view.state and "width: 50.0%" in view.state for view in seen)
    assert len(seen[-1].found) == 6
    assert {place.model for place, _ in seen[-1].found} == {"lakes"}
    assert len(list(like(library, seen[-1].found[0], SearchForm(), owner="", say=ENGLISH))[-1].found) == 5


def test_a_download_can_be_stopped_and_nothing_is_lost(library, coming):
    stop = threading.Event()
    form = SearchForm.read({"query": "a fox", "place": "drawings", "model": "lakes"})
    seen = []
    for view in search(library, form, uploaded=None, owner="", say=ENGLISH, stopped=stop.is_set):
        seen.append(view)
        if HALF in (view.state or ""):
            stop.set()
    assert SAY("Stopped") in seen[-1].state
    assert (seen[-1].busy, seen[-1].grid) == (False, None)


def test_a_set_of_ones_own_is_looked_at_by_the_chosen_model(library, coming, folder):
    coming.may_go_on.set()
    *_, (last, place) = upload(library, [str(folder / "blue.png")], model="lakes", say=ENGLISH)
    assert (
        SAY.ngettext("{count} picture can be searched", "{count} pictures can be searched", 1) in last.state
    )
    assert place.model == "lakes"


def test_whoever_has_painted_nothing_begins_with_the_bundled_drawings(library, studio):
    assert first_place(library) == BUNDLED
    studio.submit(make_recipe({"prompts": "a fox", "steps": 1})).wait(10)
    assert first_place(library) == RUNS


def test_the_empty_tab_offers_drawings_that_exist():
    assert search_view.empty_html(ENGLISH).count("data-example=") == len(search_view.example_drawings()) == 12
    assert all(path.is_file() for path in search_view.example_drawings())


@pytest.mark.parametrize(
    ("values", "only"),
    [
        ({"preset": " draft ", "painted_by": "pocket"}, Filter(preset="draft", model="pocket")),
        ({"seed": "0"}, Filter(seed=0)),
        ({"preset": "", "painted_by": None, "seed": None}, EVERYTHING),
        ({"seed": " "}, EVERYTHING),
    ],
)
def test_own_pictures_are_chosen_by_their_recipe(values, only):
    assert to_filter(SearchForm.read(values)) == only


def test_a_seed_below_zero_is_refused():
    with pytest.raises(SearchError, match="0 or more"):
        to_filter(SearchForm(seed="-1"))


def test_a_seed_that_is_no_number_is_told():
    with pytest.raises(SearchError, match="“seven” is not a whole number"):
        to_filter(SearchForm(seed="seven"))


def test_nothing_painted_yet_is_no_error(make_studio, tiny_perceptor, monkeypatch):
    studio = make_studio(policy=Policy.for_public())
    monkeypatch.setattr(studio, "perceptor", lambda names: tiny_perceptor)
    form = SearchForm.read({"query": "a fox", "place": RUNS})
    *_, last = search(PictureLibrary(studio), form, uploaded=None, owner="ada", say=ENGLISH)
    assert SAY("No results") in last.state
