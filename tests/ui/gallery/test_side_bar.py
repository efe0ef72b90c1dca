"""The side bar without a browser: what it shows, and where it leads."""

from datetime import timedelta

import pytest

from pixgen.errors import SearchError
from pixgen.studio.gallery.catalogue import RunFilter
from pixgen.ui.gallery import queries, view
from pixgen.ui.gallery.presenter import FORM, SHELF
from pixgen.ui.i18n import ENGLISH
from tests.ui.gallery.test_tab import at_the_desk, painted

OWN = ENGLISH


@pytest.fixture
def presenter(studio, visitor, tmp_path):
    """The gallery of a studio of waves."""
    return at_the_desk(studio, visitor, tmp_path)


def listed(changes):
    """The ids of the runs in the side bar, in order."""
    return [part.partition('"')[0] for part in changes["side_list"].split('data-run="')[1:]]


def test_before_the_first_picture_it_says_what_it_is_for(presenter):
    changes = presenter.side("")
    assert changes["side_said"] == ""
    assert OWN("Nothing has been painted yet.") in changes["side_list"]


def test_the_newest_come_first_with_a_quiet_line(presenter, studio):
    fox, whale = painted(studio), painted(studio, "a <b>whale</b>", seed=8)
    changes = presenter.side("")
    assert sorted(listed(changes)) == sorted([fox, whale])
    for text in ("a &lt;b&gt;whale&lt;/b&gt;", "Draft · seed 8", "data:image/webp"):
        assert text in changes["side_list"]
    assert "data-looks" not in changes["side_list"]


def test_todays_have_their_time_and_older_ones_their_day(presenter, studio):
    started = studio.run(painted(studio)).started
    shown = queries.newest_runs(presenter.gallery, "", owner="")
    today = view.runs(ENGLISH, shown, today=started.date())
    later = view.runs(ENGLISH, shown, today=started.date() + timedelta(days=1))
    assert f">{started:%H:%M}</time>" in today
    assert f">{started:%Y-%m-%d}</time>" in later


def test_words_are_searched_in_prompts_and_tags(presenter, studio):
    fox, whale = painted(studio), painted(studio, "a whale")
    presenter.tag(whale, "sea")
    assert listed(presenter.side("fox")) == [fox]
    found = presenter.side("sea")
    assert listed(found) == [whale]
    assert "1 found" in found["side_said"]
    assert "data-looks" in found["side_list"]
    assert OWN("No matching pictures.") in presenter.side("owl")["side_said"]


def test_looks_are_searched_beside_the_words(presenter, studio, monkeypatch):
    fox, whale = painted(studio), painted(studio, "a whale")
    monkeypatch.setattr(
        presenter.gallery, "search", lambda *_, **who: presenter.gallery.find(RunFilter(sort="oldest"), **who)
    )
    assert fox in presenter.side("fox")["side_list"]
    shown = presenter.alike("fox")["side_alike"]
    assert OWN("Matches by content") in shown
    assert whale in shown
    assert fox not in shown  # what has the words is not shown twice
    assert presenter.alike(" ")["side_alike"] == ""


def test_what_cannot_be_searched_by_looks_is_said(presenter, monkeypatch):
    def refused(*_, **__):
        raise SearchError("The query is empty.")

    monkeypatch.setattr(presenter.gallery, "search", refused)
    assert "The query is empty." in presenter.alike("fox")["side_alike"]


def test_where_there_are_more_it_leads_to_the_gallery(presenter, studio, monkeypatch):
    monkeypatch.setattr(queries, "SIDE_BAR_PAGE", 2)
    runs = [painted(studio, seed=seed) for seed in range(3)]
    assert OWN("All {count} in the gallery", count=3) in presenter.side("fox")["side_list"]
    shelf = presenter.all_with("fox")
    assert set(shelf) == {*FORM, *SHELF}
    assert (shelf["query"], shelf["view"]) == ("fox", "all")
    assert all(run in shelf["grid"] for run in runs)
