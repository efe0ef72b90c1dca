"""A studio's pictures and folders, searched: own runs, folders named at start, visitors' sets."""

import os
import time
import zipfile
from dataclasses import replace

import pytest
from PIL import Image

from pixgen.errors import ClassifyError, PictureError, RecipeError, SearchError
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Policy, Studio
from pixgen.studio.library import uploads as sets
from pixgen.studio.library.library import BUNDLED, RUNS, PictureLibrary
from pixgen.studio.library.uploads import KEPT_SECONDS, is_upload, keep_upload
from pixgen.vision.search.query import Filter, parse_query
from tests.ui.fakes import waves_studio
from tests.vision.conftest import draw


@pytest.fixture
def make_finder(tmp_path, tiny_perceptor, monkeypatch):
    """Makes finders whose studio paints waves and looks with a tiny CLIP."""
    studios = []

    def make(*, policy=None, **kind) -> PictureLibrary:
        studio: Studio = waves_studio(tmp_path / "runs", policy=policy)
        studios.append(studio)
        monkeypatch.setattr(studio, "perceptor", lambda names: tiny_perceptor)
        return PictureLibrary(studio, **kind)

    yield make
    for studio in studios:
        studio.close(timeout=10)


@pytest.fixture
def folder(tmp_path):
    """Three colours under a folder's name."""
    for colour in ("red", "green", "blue"):
        draw(tmp_path / "My Trips" / f"{colour}.png", colour)
    return tmp_path / "My Trips"


def painted(studio, prompt, *, owner="", seed=7):
    wanted = {
        "prompts": prompt,
        "width": 48,
        "height": 32,
        "steps": 2,
        "seed": seed,
        "preset": "draft",
    }
    job = studio.submit(make_recipe(wanted), owner=owner)
    job.wait()
    assert job.error is None
    return job.run


def brought(finder, place):
    return [*finder.refresh_if_stale(place)]


def seen(finder, place, **how) -> set[str]:
    return {hit.row.path for hit in finder.search(place, finder.embed(parse_query("a fox")), **how)}


def test_own_pictures_are_found_once_they_are_finished(make_finder):
    finder = make_finder()
    runs = finder.places[RUNS]
    first = painted(finder.studio, "a red fox", seed=1)
    brought(finder, runs)
    assert seen(finder, runs) == {f"{first.id}/picture.png"}
    second = painted(finder.studio, "a blue whale", seed=2)
    brought(finder, runs)
    assert seen(finder, runs, fold=False) == {f"{run.id}/picture.png" for run in (first, second)}
    assert seen(finder, runs, only=Filter(prompt="whale")) == {f"{second.id}/picture.png"}
    (hit,) = finder.search(runs, finder.embed(parse_query("x")), only=Filter(seed=1))
    assert (hit.row.prompt, hit.row.preset, hit.row.model) == ("a red fox", "draft", "pocket")
    assert finder.find_file(runs, hit.row.path) == first.picture


def test_what_is_painted_can_be_indexed_as_it_is_finished(make_finder):
    finder = make_finder()
    finder.follow()
    run = painted(finder.studio, "a red fox")
    finder.studio.close(10)  # what follows a job is done on its thread
    assert finder.collection(finder.places[RUNS]).fingerprints().keys() == {f"{run.id}/picture.png"}


def test_runs_that_were_moved_with_their_studio_are_found_there(make_finder, tmp_path):
    finder = make_finder()
    painted(finder.studio, "a red fox")
    brought(finder, finder.places[RUNS])
    finder.studio.close(10)
    finder.studio.folder.rename(tmp_path / "elsewhere")
    moved = Studio(tmp_path / "elsewhere", device="cpu")
    moved.perceptor = finder.studio.perceptor
    again = PictureLibrary(moved, address=tmp_path / "elsewhere" / "library")
    brought(again, again.places[RUNS])
    assert len(seen(again, again.places[RUNS])) == 1


def test_a_run_that_is_being_painted_is_left_alone(make_finder):
    from pixgen.studio.runs.run import RunLock

    finder = make_finder()
    run = painted(finder.studio, "a red fox")
    run_lock = RunLock(run.folder)
    brought(finder, finder.places[RUNS])
    assert seen(finder, finder.places[RUNS]) == set()
    run_lock.release()
    brought(finder, finder.places[RUNS])
    assert len(seen(finder, finder.places[RUNS])) == 1


def test_in_public_nobody_finds_anothers_pictures(make_finder):
    finder = make_finder(policy=Policy.for_public())
    runs = finder.places[RUNS]
    run = painted(finder.studio, "a red fox", owner="ada")
    brought(finder, runs)
    path = f"{run.id}/picture.png"
    assert seen(finder, runs, owner="ada") == {path}
    assert seen(finder, runs, owner="eve") == set()
    assert seen(finder, runs, owner="eve", only=Filter(owner="ada")) == set()
    assert finder.vector_of(runs, path, owner="ada").shape == (16,)
    with pytest.raises(SearchError, match="no longer exists"):
        finder.vector_of(runs, path, owner="eve")


def test_a_run_whose_files_are_broken_is_nobodys(make_finder):
    finder = make_finder(policy=Policy.for_public())
    run = painted(finder.studio, "a red fox", owner="ada")
    (run.folder / "run.json").write_text("{")
    brought(finder, finder.places[RUNS])
    assert seen(finder, finder.places[RUNS], owner="ada") == set()


def test_only_folders_named_at_start_are_places(make_finder, folder, tmp_path):
    finder = make_finder(roots=[folder])
    assert list(finder.places) == [RUNS, BUNDLED, "My-Trips"]
    brought(finder, finder.places["My-Trips"])
    assert seen(finder, finder.places["My-Trips"], fold=False) == {
        "red.png",
        "green.png",
        "blue.png",
    }
    with pytest.raises(SearchError, match="There is no folder “nowhere”"):
        make_finder(roots=[tmp_path / "nowhere"])
    (tmp_path / "x" / "My Trips").mkdir(parents=True)
    with pytest.raises(SearchError, match="cannot both be the collection “My-Trips”"):
        make_finder(roots=[folder, tmp_path / "x" / "My Trips"])


def test_a_large_folder_is_not_looked_through_each_time(make_finder, folder):
    finder = make_finder(roots=[folder])
    place = finder.places["My-Trips"]
    running = finder.refresh_if_stale(place)
    next(running)
    assert brought(finder, place) == []  # somebody is at it
    assert list(running)[-1].state == "done"
    assert brought(finder, place) == []


def test_two_pages_on_a_folder_do_not_index_it_at_once(make_finder):
    one, other = make_finder(), make_finder()
    run = painted(one.studio, "a red fox")
    running = one.refresh_if_stale(one.places[RUNS])
    next(running)
    assert brought(other, other.places[RUNS]) == []
    *_, last = running
    assert last.added == 1
    *_, last = brought(other, other.places[RUNS])
    assert (last.added, last.unchanged) == (0, 1)
    assert seen(other, other.places[RUNS]) == {f"{run.id}/picture.png"}


def test_whoever_leaves_in_the_middle_leaves_it_to_the_next(make_finder, folder):
    finder = make_finder(roots=[folder])
    place = finder.places["My-Trips"]
    running = finder.refresh_if_stale(place)
    next(running)
    running.close()
    assert brought(finder, place)[-1].added == 3


@pytest.mark.parametrize("path", ["../secret.png", "/etc/hostname", "no.png", "a\0b.png", "link.png"])
def test_no_file_outside_a_place_is_handed_out(make_finder, folder, path):
    secret = draw(folder.parent / "secret.png", "white")
    (folder / "link.png").symlink_to(secret)
    finder = make_finder(roots=[folder])
    with pytest.raises(PictureError, match="no longer exists"):
        finder.find_file(finder.places["My-Trips"], path)


def packed(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return path


def test_a_set_of_ones_own_is_searched_by_its_name_only(make_finder, folder, tmp_path):
    finder = make_finder()
    red = (folder / "red.png").read_bytes()
    archive = packed(tmp_path / "more.zip", {"../../up.png": red, "a/b/deep.png": red, "no.txt": b"x"})
    place = finder.add_upload([folder / "blue.png", archive])
    assert is_upload(place.name)
    assert place.folder.is_relative_to(finder.studio.folder)
    assert sorted(path.name for path in place.folder.iterdir()) == [
        "0001-blue.png",
        "0002-deep.png",
        "0003-up.png",
    ]
    brought(finder, place)
    assert len(seen(finder, place, fold=False)) == 3
    assert place.name not in finder.places
    assert place not in finder.list_indexed()
    assert not (tmp_path / "up.png").exists()


def test_old_sets_go_with_what_is_known_of_them(make_finder, folder):
    finder = make_finder()
    old = finder.add_upload([folder / "blue.png"])
    brought(finder, old)
    before = time.time() - KEPT_SECONDS - 60
    os.utime(old.folder, (before, before))
    new = finder.add_upload([folder / "red.png"])
    assert not old.folder.exists()
    assert new.folder.exists()
    with pytest.raises(SearchError, match="There is no collection"):
        finder.collection(old)


def test_too_many_sets_push_the_oldest_out(make_finder, folder, monkeypatch):
    monkeypatch.setattr(sets, "KEPT_SETS", 2)
    finder = make_finder()
    places = []
    for age in (30, 20, 10):
        places.append(finder.add_upload([folder / "blue.png"]))
        os.utime(places[-1].folder, (time.time() - age,) * 2)
    assert [place.folder.exists() for place in places] == [False, True, True]


def test_a_set_is_bounded_and_leaves_nothing_behind(folder, tmp_path, monkeypatch):
    pictures = sorted(folder.iterdir())
    for bound, value in (("MOST", 2), ("LARGEST_UPLOAD", 300)):
        with monkeypatch.context() as patch:
            patch.setattr(sets, bound, value)
            with pytest.raises(SearchError, match="A set has at most"):
                keep_upload(pictures, tmp_path / "sets")
    with pytest.raises(SearchError, match="There are no pictures"):
        keep_upload([packed(tmp_path / "none.zip", {"no.txt": b"x"})], tmp_path / "sets")
    (tmp_path / "broken.zip").write_bytes(b"no zip")
    with pytest.raises(ClassifyError, match="not a zip"):
        keep_upload([tmp_path / "broken.zip"], tmp_path / "sets")
    assert list((tmp_path / "sets").iterdir()) == []


def test_each_model_has_a_table_of_its_own_in_which_it_looks(make_finder, folder, monkeypatch):
    asked = []
    finder = make_finder(roots=[folder])
    tiny = finder.studio.perceptor(("pocket",))
    monkeypatch.setattr(finder.studio, "perceptor", lambda names: asked.append(names) or tiny)
    usual = finder.places["My-Trips"]
    large = replace(usual, model="ViT-B-32/openai")
    brought(finder, large)
    with pytest.raises(SearchError, match="for the model pocket"):
        finder.collection(usual)
    assert brought(finder, usual)[-1].added == 3
    assert {(each.name, each.model) for each in finder.library.collections()} == {
        ("My-Trips", "pocket"),
        ("My-Trips", "ViT-B-32/openai"),
    }
    asked.clear()
    finder.embed(parse_query("a fox"), model=large.model)
    assert asked == [("ViT-B-32/openai",)]


def test_a_set_goes_with_what_every_model_has_seen_of_it(make_finder, folder):
    finder = make_finder()
    old = finder.add_upload([folder / "blue.png"])
    brought(finder, old)
    brought(finder, replace(old, model="another"))
    os.utime(old.folder, (time.time() - KEPT_SECONDS - 60,) * 2)
    finder.add_upload([folder / "red.png"])
    assert finder.library.collections() == []


def test_a_public_page_looks_with_its_own_models_only(make_finder):
    finder = make_finder(policy=Policy.for_public())
    place = replace(finder.places[BUNDLED], model="ViT-L-14/openai")
    for refused in (finder.load_model, finder.refresh):
        with pytest.raises(RecipeError, match="is not offered here"):
            list(refused(place))
    with pytest.raises(RecipeError, match="is not offered here"):
        finder.embed(parse_query("a fox"), model=place.model)


def test_a_term_can_be_a_picture(make_finder, folder):
    finder = make_finder(roots=[folder])
    place = finder.places["My-Trips"]
    brought(finder, place)
    vector = finder.embed(parse_query(f"[{folder / 'red.png'}]"))
    assert finder.search(place, vector)[0].row.path == "red.png"
    opened = []
    finder.embed(parse_query("[x]"), open_term=lambda path: opened.append(path) or Image.new("RGB", (4, 4)))
    assert opened == ["x"]


def test_a_fox_finds_the_foxes_first_among_the_bundled_drawings(make_finder):
    """Whatever CLIP thinks: this one has learned nothing."""
    finder = make_finder()
    place = finder.places[BUNDLED]
    brought(finder, place)
    query = parse_query("a fox")
    hits = finder.search(place, finder.embed(query), query=query, top=3, fold=False)
    assert sorted(hit.row.path for hit in hits[:2]) == ["fox-in-the-forest.webp", "fox-in-the-snow.webp"]
    plain = finder.search(place, finder.embed(query), top=3, fold=False)
    assert len(plain) == 3
    nearest = finder.search(place, finder.embed(query), query=parse_query("[x.png]"), top=3, fold=False)
    assert [hit.row.path for hit in nearest] == [hit.row.path for hit in plain]  # a picture has no words
