"""The side bar without a browser: what it shows, and where it leads."""

from datetime import timedelta

import pytest

from pixgen.errors import SearchError
from pixgen.studio.gallery.catalogue_rows import RunFilter
from pixgen.ui.gallery import queries, view
from pixgen.ui.gallery.presenter import FORM, SHELF
from pixgen.ui.i18n import ENGLISH
from tests.ui.gallery.test_tab import at_the_desk, painted

OWN = ENGLISH


@pytest.fixture
def desk(studio, visitor, tmp_path):
    """The gallery of a studio of waves."""
    return at_the_desk(studio, visitor, tmp_path)


def listed(changes):
    """The ids of the runs in the side bar, in order."""
    return [part.partition('"')[0] for part in changes["side_list"].split('data-run="')[1:]]


def test_before_the_first_picture_it_says_what_it_is_for(desk):
    changes = desk.side("")
    assert changes["side_said"] == ""
    assert OWN("Nothing has been painted yet.") in changes["side_list"]


def test_the_newest_come_first_with_a_quiet_line(desk, studio):
    fox, whale = painted(studio), painted(studio, "a <b>whale</b>", seed=8)
    changes = desk.side("")
    assert sorted(listed(changes)) == sorted([fox, whale])
    for text in ("a &lt;b&gt;whale&lt;/b&gt;", "Draft · seed 8", "data:image/webp"):
        assert text in changes["side_list"]
    assert "data-looks" not in changes["side_list"]


def test_todays_have_their_time_and_older_ones_their_day(desk, studio):
    started = studio.run(painted(studio)).started
    shown = queries.newest_runs(desk.gallery, "", owner="")
    today = view.runs(ENGLISH, shown, today=started.date())
    later = view.runs(ENGLISH, shown, today=started.date() + timedelta(days=1))
    assert f">{started:%H:%M}</time>" in today
    assert f">{started:%Y-%m-%d}</time>" in later


def test_words_are_searched_in_prompts_and_tags(desk, studio):
    fox, whale = painted(studio), painted(studio, "a whale")
    desk.tag(whale, "sea")
    assert listed(desk.side("fox")) == [fox]
    found = desk.side("sea")
    assert listed(found) == [whale]
    assert "1 found" in found["side_said"]
    assert "data-looks" in found["side_list"]
    assert OWN("No picture is like that.") in desk.side("owl")["side_said"]


def test_looks_are_searched_beside_the_words(desk, studio, monkeypatch):
    fox, whale = painted(studio), painted(studio, "a whale")
    monkeypatch.setattr(
        desk.gallery, "look", lambda *_, **who: desk.gallery.find(RunFilter(sort="oldest"), **who)
    )
    assert fox in desk.side("fox")["side_list"]
    shown = desk.alike("fox")["side_alike"]
    assert OWN("By what they show") in shown
    assert whale in shown
    assert fox not in shown  # what has the words is not shown twice
    assert desk.alike(" ")["side_alike"] == ""


def test_what_cannot_be_searched_by_looks_is_said(desk, monkeypatch):
    def refused(*_, **__):
        raise SearchError("The query is empty.")

    monkeypatch.setattr(desk.gallery, "look", refused)
    assert "The query is empty." in desk.alike("fox")["side_alike"]


def test_where_there_are_more_it_leads_to_the_gallery(desk, studio, monkeypatch):
    monkeypatch.setattr(queries, "ASIDE", 2)
    runs = [painted(studio, seed=seed) for seed in range(3)]
    assert OWN("All {count} in the gallery", count=3) in desk.side("fox")["side_list"]
    shelf = desk.all_with("fox")
    assert set(shelf) == {*FORM, *SHELF}
    assert (shelf["query"], shelf["view"]) == ("fox", "all")
    assert all(run in shelf["grid"] for run in runs)
