"""The Gallery tab without a browser: what is shown, and what a press does."""

import json
import zipfile
from datetime import timedelta
from types import SimpleNamespace

import pytest
from PIL import Image

from pixgen.errors import SearchError, StudioError
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Policy
from pixgen.studio.gallery.catalogue import SORTS, STATES
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.grids.grid import GAP, MARGIN
from pixgen.studio.library.library import PictureLibrary
from pixgen.ui.gallery import queries
from pixgen.ui.gallery.presenter import GalleryPresenter
from pixgen.ui.gallery.view import chart, shortened
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.session import BrowserSession

FORM = ("", "words", "all", "newest", "", "", "", None, None)


def painted(studio, prompt="a red fox", *, owner="", parent="", **fields):
    recipe = {
        "prompts": prompt,
        "width": 32,
        "height": 32,
        "steps": 3,
        "seed": 7,
        "preset": "draft",
    }
    job = studio.submit(make_recipe(recipe, fields), owner=owner, parent=parent)
    assert job.wait(20)
    return job.id


def at_the_desk(studio, visitor, tmp_path):
    """The tab of a studio as a visitor asks it; its files are copied into a folder of the test's own."""
    parts = dict.fromkeys(
        ("download", "film", "recipe"), SimpleNamespace(GRADIO_CACHE=str(tmp_path / "cache"))
    )
    return GalleryPresenter(Gallery(studio), PictureLibrary(studio), ENGLISH, parts, visitor)


@pytest.fixture
def presenter(studio, visitor, tmp_path):
    """The tab of a studio of waves."""
    return at_the_desk(studio, visitor, tmp_path)


def test_an_empty_gallery_invites(presenter):
    changes = presenter.shelf(FORM, 0)
    assert ENGLISH("Nothing has been painted yet.") in changes["grid"]
    assert changes["said"] == ""
    assert ENGLISH("No matching pictures.") in presenter.shelf(("fox", *FORM[1:]), 0)["grid"]
    assert ENGLISH("The trash is empty.") in presenter.shelf(("", "words", "bin", *FORM[3:]), 0)["grid"]


def test_pictures_are_shown_with_what_is_known_and_can_be_filtered(presenter, studio):
    fox, whale = painted(studio), painted(studio, "a <b>whale</b>", preset="best", seed=8)
    shown = presenter.shelf(FORM, 0)
    assert shown["said"].count("1 to 2 of 2") == 1
    for text in (
        f'data-run="{fox}"',
        "<small>Draft · seed 7</small>",
        "a &lt;b&gt;whale&lt;/b&gt;",
        "data:image/webp",
    ):
        assert text in shown["grid"]
    assert [value for _, value in shown["preset"]["choices"]] == ["", "best", "draft"]
    assert fox not in presenter.shelf(("whale", *FORM[1:]), 0)["grid"]
    only = presenter.shelf((*FORM[:5], "draft", *FORM[6:]), 0)
    assert whale not in only["grid"]
    assert only["preset"]["value"] == "draft"


def test_days_are_wanted_whole(presenter, studio):
    run = painted(studio)
    today = f"{studio.run(run).started:%Y-%m-%d}"
    tomorrow = f"{studio.run(run).started + timedelta(days=1):%Y-%m-%d}"
    for since, until, there in (
        (today, None, True),
        (None, today, True),
        (today, today, True),
        (tomorrow, None, False),
        (None, "2020-02-03", False),
        ("2020-02-03", tomorrow, True),
        (f"{today} 23:59:59", "", True),
    ):
        assert (run in presenter.shelf((*FORM[:-2], since, until), 0)["grid"]) == there, (since, until)
    with pytest.raises(SearchError, match="is not a date"):
        presenter.shelf((*FORM[:-2], "yesterday", None), 0)


def test_the_forms_choices_are_the_catalogues():
    assert (
        tuple(
            value
            for value, _ in (
                ("newest", ENGLISH("newest first")),
                ("oldest", ENGLISH("oldest first")),
                ("similarity", ENGLISH("closest to the prompt")),
                ("longest", ENGLISH("longest painting time")),
                ("prompt", ENGLISH("by prompt")),
            )
        )
        == SORTS
    )
    assert tuple(
        value
        for value, _ in (
            ("", ENGLISH("any")),
            ("painting", ENGLISH("painting")),
            ("done", ENGLISH("done")),
            ("stopped", ENGLISH("stopped")),
            ("failed", ENGLISH("failed")),
        )
    ) == ("", *STATES)


def test_many_are_paged_and_a_page_that_is_none_is_the_nearest(presenter, studio, monkeypatch):
    monkeypatch.setattr(queries, "PAGE", 2)
    runs = [painted(studio, seed=seed) for seed in range(5)]
    presenter.gallery.find(queries.to_filter(queries.GalleryForm()))
    pages = [presenter.shelf((*FORM[:3], "oldest", *FORM[4:]), page) for page in (0, 2, 99)]
    shown = [[run for run in runs if run in page["grid"]] for page in pages]
    assert [page["page"] for page in pages] == [0, 2, 2]
    assert [len(each) for each in shown] == [2, 1, 1]
    assert 'data-page="-1" disabled' in pages[0]["grid"]
    assert 'data-page="1">' in pages[2]["grid"]


def test_a_run_opens_with_picture_recipe_curves_video_and_relatives(presenter, studio):
    first, sister = (
        painted(studio, "a fox | snow :0.5"),
        painted(studio, "a fox | snow :0.5", seed=8),
    )
    child = painted(studio, "an owl", parent=first)
    changes = presenter.opened(first)
    assert "data:image/png" in changes["picture"]
    assert 'src="gradio_api/file=' in changes["picture"]
    facts = changes["facts"]
    assert facts.count("<polyline") == 2
    assert "a fox: from 0.1 to 0.7" in facts
    assert facts.index(child) < facts.index(ENGLISH("Other seeds")) < facts.index(sister)
    assert "&quot;seed&quot;: 7" in facts
    with open(changes["recipe"]["value"], encoding="utf-8") as file:
        assert make_recipe(json.load(file)) == studio.run(first).recipe
    assert (changes["go_on"]["visible"], changes["restore"]["visible"]) == (False, False)
    assert first in presenter.opened(child)["facts"]


def test_marks_are_kept(presenter, studio):
    run = painted(studio)
    presenter.star(run, True)
    assert 'aria-pressed="true"' in presenter.shelf(FORM, 0)["grid"]
    assert presenter.opened(run)["favourite"] == ENGLISH("Remove from favourites")
    assert presenter.favourite(run)["favourite"] == ENGLISH.pgettext("button", "Add to favourites")
    assert presenter.tag(run, "Sea, for the kitchen,, ")["tags"] == "for the kitchen, sea"
    assert presenter.tag(run, "sea")["tags"] == "sea"
    assert [value for _, value in presenter.shelf(FORM, 0)["tag"]["choices"]] == ["", "sea"]


def test_what_is_deleted_can_be_taken_back(presenter, studio):
    run = painted(studio)
    changes = presenter.delete(run, 0, *FORM)
    assert f'data-undo="{run}"' in changes["said"]
    assert ENGLISH("Nothing has been painted yet.") in changes["grid"]
    trashed = ("", "words", "bin", *FORM[3:])
    assert presenter.shelf(trashed, 0)["empty"]["visible"]
    opened = presenter.opened(run)
    assert (opened["delete"]["visible"], opened["restore"]["visible"]) == (False, True)
    assert run in presenter.restore(run, 0, *FORM)["grid"]
    presenter.delete(run, 0, *FORM)
    assert presenter.empty(False, 0, *trashed) == {}
    assert run in presenter.shelf(trashed, 0)["grid"]
    assert "1 deleted permanently" in presenter.empty(True, 0, *trashed)["said"]
    assert studio.runs() == []


def test_a_stopped_run_goes_on_in_the_visitors_seat(make_studio, visitor, tmp_path):
    studio = make_studio(seconds=0.05)
    job = studio.submit(make_recipe({"prompts": "a fox", "width": 32, "height": 32, "steps": 30}))
    next(job_status for job_status in job.watch() if job_status.frame is not None)
    job.stop()
    assert job.wait(10)
    presenter = at_the_desk(studio, visitor, tmp_path)
    session = BrowserSession.from_browser(presenter.go_on(job.id), None)
    assert (session.owner, session.stored["job"]) == (visitor.owner, job.id)
    assert session.job(studio).wait(20)
    assert session.run(studio).state == "done"


def test_in_public_a_visitor_has_only_their_own(make_studio, visitor, tmp_path):
    studio = make_studio(policy=Policy.for_public())
    mine, theirs = painted(studio, owner=visitor.owner), painted(studio, owner="somebody")
    presenter = at_the_desk(studio, visitor, tmp_path)
    for shown in (presenter.shelf(FORM, 0)["grid"], presenter.side("")["side_list"]):
        assert mine in shown
        assert theirs not in shown
    for act in (
        presenter.opened,
        presenter.favourite,
        presenter.go_on,
        lambda run: presenter.delete(run, 0, *FORM),
    ):
        with pytest.raises(Exception, match="There is no run"):
            act(theirs)


def test_a_chart_draws_lines_with_gaps_and_leaves_out_what_has_none():
    drawn = chart(
        "Loss",
        [0, 5, 10],
        {"a": [1.0, None, 0.5], "b": [None, None, 2.0]},
        alt="{name} {first} {last}",
    )
    assert drawn.count("<polyline") == 1
    assert 'aria-label="a 1 0.5"' in drawn
    assert chart("Loss", [], {}, alt="") == ""
    assert "<polyline" in chart("Loss", [0, 1], {"a": [3.0, 3.0]}, alt="{name}")


def test_a_long_prompt_is_shortened_in_sentences():
    assert shortened("short") == "short"
    assert len(shortened("a very long prompt " * 9)) <= 60


def test_several_runs_are_deleted_restored_and_packed_at_once(presenter, studio, tmp_path):
    first, second = painted(studio), painted(studio, "an owl")
    answer = presenter.zip_many(f"{first},{second},{first}")["large"]
    (packed,) = (tmp_path / "cache").rglob("pixgen-pictures.zip")
    assert str(packed) in answer
    names = zipfile.ZipFile(packed).namelist()
    assert {f"{run}{ending}" for run in (first, second) for ending in (".png", ".json")} <= set(names)
    changes = presenter.delete_many(f"{first},{second}", 0, *FORM)
    assert ENGLISH("Nothing has been painted yet.") in changes["grid"]
    assert f'data-undo="{first},{second}"' in changes["said"]
    changes = presenter.restore(f"{first},{second}", 0, *FORM)
    assert first in changes["grid"]
    assert second in changes["grid"]


@pytest.mark.parametrize(
    ("prompts", "size"), [(["a red fox"] * 4, 2), (["a red fox", "an owl", "a boat"], 3)]
)
def test_several_runs_are_saved_on_a_contact_sheet(presenter, studio, tmp_path, prompts, size):
    runs = [painted(studio, prompt) for prompt in prompts]
    answer = presenter.sheet_many(",".join(runs))["large"]
    (sheet,) = (tmp_path / "cache").rglob("contact-sheet.png")
    assert f'href="gradio_api/file={sheet}" download="contact-sheet.png"' in answer
    with Image.open(sheet) as shown:
        assert shown.width == 2 * MARGIN + size * (32 + GAP) - GAP


def test_two_selected_runs_are_compared_in_words(presenter, studio):
    first, second = painted(studio), painted(studio, "an owl", losses={"saturation": 2})
    shown = presenter.compare_many(f"{first},{second}")["large"]
    assert "<dt>Prompt</dt><dd>a red fox → an owl</dd>" in shown
    assert "<dd>0 → 2</dd>" in shown
    assert "{" not in shown.split("<dl", 1)[1]


@pytest.mark.parametrize("sent", ["", " , ", None])
def test_an_empty_selection_is_a_sentence(presenter, sent):
    for act in (presenter.zip_many, presenter.sheet_many, presenter.compare_many):
        with pytest.raises(StudioError, match="Select"):
            act(sent)


def test_nobody_selects_the_runs_of_others(make_studio, visitor, tmp_path):
    studio = make_studio(policy=Policy.for_public())
    run = painted(studio, owner="somebody else")
    presenter = at_the_desk(studio, visitor, tmp_path)
    for act in (presenter.zip_many, presenter.sheet_many, presenter.large):
        with pytest.raises(StudioError, match="no run"):
            act(run)
    with pytest.raises(StudioError):
        presenter.delete_many(run, 0, *FORM)
    assert studio.run(run).state == "done"
