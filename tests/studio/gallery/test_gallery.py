"""A studio's runs as a person goes through them."""

import io
import json

import pytest
from PIL import Image

from pixgen.errors import StudioError
from pixgen.studio import Policy
from pixgen.studio.gallery.catalogue import FILE, RunFilter
from pixgen.studio.gallery.gallery import THUMBNAIL, Gallery
from pixgen.studio.library.library import PictureLibrary
from pixgen.studio.runs.run import LONGEST_TAG, MOST_TAGS
from tests.studio.deaths import killed
from tests.studio.fakes import Painters, a_recipe


@pytest.fixture
def gallery(studio):
    return Gallery(studio)


def painted(studio, *, owner="", parent="", **fields):
    job = studio.submit(a_recipe(steps=2, **fields), owner=owner, parent=parent)
    assert job.wait(20)
    return job.id


def ids(entries):
    return [entry.id for entry in entries]


def test_a_killed_run_is_there_stopped_and_goes_on(open_studio, tmp_path):
    folder = tmp_path / "outputs"
    run_id = killed(folder, until=lambda run: json.loads((run / "run.json").read_text())["step"] > 0)
    studio = open_studio()
    gallery = Gallery(studio)
    (entry,) = gallery.find(RunFilter(state="stopped"))
    assert (entry.id, entry.steps) == (run_id, 200)
    assert gallery.thumbnails([entry])[0] is not None
    job = studio.resume(run_id)
    assert job.wait(30)
    assert [entry.state for entry in gallery.find(RunFilter())] == ["done"]
    assert gallery.open(run_id).curve.steps == list(range(201))


def test_a_run_is_followed_while_it_is_painted(open_studio):
    painters = Painters(hold_at=3)
    studio = open_studio(painters)
    gallery = Gallery(studio)
    job = studio.submit(a_recipe())
    assert painters.held.wait(20)
    (entry,) = gallery.find(RunFilter(state="painting"))
    assert (entry.state, entry.step) == ("painting", 2)
    assert gallery.thumbnails([entry])[0] is not None  # its newest frame: there is no file yet
    with pytest.raises(StudioError, match="being painted: stop it first"):
        gallery.delete(job.id)
    painters.go_on.set()
    assert job.wait(20)
    assert [(each.state, each.step) for each in gallery.find(RunFilter())] == [("done", 12)]


def test_favourites_and_tags_live_with_the_run(gallery, studio):
    run_id = painted(studio)
    gallery.update_tags(run_id, favourite=True, add=["Sea  side", "boat", "boat"])
    gallery.update_tags(run_id, remove=["boat", "never there"])
    (studio.folder / FILE).unlink()
    (entry,) = Gallery(studio).find(RunFilter(favourite=True))
    assert entry.tags == ("sea side",)
    gallery.update_tags(run_id, favourite=False)
    assert gallery.entry(run_id).favourite is False


@pytest.mark.parametrize("tag", ["", " ", "a,b", "x" * (LONGEST_TAG + 1), "a\x1bb"])
def test_a_tag_that_is_none_is_refused(gallery, studio, tag):
    run_id = painted(studio)
    with pytest.raises(StudioError, match="is not allowed: write a word or two"):
        gallery.update_tags(run_id, add=[tag])
    with pytest.raises(StudioError, match=f"at most {MOST_TAGS} tags"):
        gallery.update_tags(run_id, add=[f"tag {number}" for number in range(MOST_TAGS + 1)])
    assert gallery.entry(run_id).tags == ()


def test_what_is_deleted_can_be_taken_back_until_the_bin_is_emptied(gallery, studio):
    kept, thrown = painted(studio), painted(studio, seed=1)
    gallery.update_tags(thrown, favourite=True)
    picture = studio.run(thrown).picture.read_bytes()
    gallery.delete(thrown)
    assert (ids(gallery.find(RunFilter())), ids(gallery.find(RunFilter(trashed=True)))) == ([kept], [thrown])
    assert gallery.open(thrown).run.picture.read_bytes() == picture
    assert [run.id for run in studio.runs()] == [kept]
    with pytest.raises(StudioError, match="There is no run"):
        studio.resume(thrown, steps=20)
    gallery.delete(thrown)  # again: it is there already
    gallery.restore(thrown)
    assert gallery.entry(thrown).favourite
    assert studio.run(thrown).picture.read_bytes() == picture
    assert gallery.empty_trash() == 0
    assert len(gallery.find(RunFilter())) == 2
    gallery.delete(thrown)
    assert gallery.empty_trash() == 1
    assert gallery.find(RunFilter(trashed=True)) == []
    with pytest.raises(StudioError, match="There is no run"):
        gallery.restore(thrown)


def test_an_opened_run_knows_its_relatives(gallery, studio):
    first, again, sister = (painted(studio, seed=seed) for seed in (1, 1, 2))
    child = painted(studio, prompts="an owl", parent=first)
    grandchild = painted(studio, prompts="an owl at night", parent=child)
    opened = gallery.open(child)
    assert (ids(opened.parents), ids(opened.children)) == ([first], [grandchild])
    assert opened.siblings == ()
    assert ids(gallery.open(grandchild).parents) == [child, first]
    assert ids(gallery.open(first).siblings) == [sister]
    assert ids(gallery.open(sister).siblings) == [first, again]
    assert opened.curve.steps == [0, 1, 2]


def test_a_thumbnail_is_small_and_made_once_for_each_picture(gallery, studio, open_studio):
    run_id = painted(studio, width=512, height=256)
    entries = gallery.find(RunFilter())
    (first,) = gallery.thumbnails(entries)
    with Image.open(io.BytesIO(first)) as small:
        assert (small.format, small.size) == ("WEBP", (THUMBNAIL, THUMBNAIL // 2))
    picture = studio.run(run_id).picture
    modified = picture.stat().st_mtime_ns
    assert gallery.catalogue.thumbnails([(run_id, modified)]) == {run_id: first}
    Image.new("RGB", (64, 64), "red").save(picture)
    assert gallery.thumbnails(entries)[0] != first
    picture.unlink()
    assert Gallery(open_studio()).thumbnails(entries) == [None]


def test_in_public_nobody_sees_or_touches_anothers_runs(open_studio):
    studio = open_studio(policy=Policy.for_public())
    gallery = Gallery(studio)
    mine, theirs = painted(studio, owner="ada"), painted(studio, owner="bob")
    painted(studio, owner="bob", parent=mine, seed=3)
    assert ids(gallery.find(RunFilter(), owner="ada")) == [mine]
    assert gallery.count(RunFilter(), owner="ada") == 1
    assert gallery.values("state", owner="ada") == {"done": 1}
    opened = gallery.open(mine, owner="ada")
    assert (opened.children, opened.siblings) == ((), ())
    for forbidden in (gallery.open, gallery.delete, gallery.restore, gallery.update_tags):
        with pytest.raises(StudioError, match="There is no run"):
            forbidden(theirs, owner="ada")
    gallery.delete(theirs, owner="bob")
    assert gallery.empty_trash(owner="ada") == 0
    assert gallery.find(RunFilter(), owner="") == []
    assert ids(gallery.find(RunFilter(trashed=True), owner="bob")) == [theirs]


def test_runs_are_found_by_how_they_look(gallery, studio, tiny_perceptor, monkeypatch):
    monkeypatch.setattr(studio, "perceptor", lambda names: tiny_perceptor)
    runs = [painted(studio, seed=seed, prompts=f"picture {seed}") for seed in range(4)]
    gallery.update_tags(runs[2], favourite=True)
    gallery.delete(runs[3])
    finder = PictureLibrary(studio)
    found = gallery.search(finder, "a fox", RunFilter())
    assert set(ids(found)) == set(runs[:3])
    opposite = gallery.search(finder, "- a fox", RunFilter())
    assert ids(opposite) == ids(found)[::-1]
    assert ids(gallery.search(finder, "a fox", RunFilter(favourite=True))) == [runs[2]]
    with pytest.raises(StudioError, match="by text only"):
        gallery.search(finder, "[fox.png]", RunFilter())
