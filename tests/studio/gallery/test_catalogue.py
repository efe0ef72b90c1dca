"""The table of runs: it says what the folders say, and can be lost."""

import dataclasses
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from pixgen.errors import StorageError, StudioError
from pixgen.recipe.prompts import parse
from pixgen.studio.gallery.catalogue import FILE, SORTS, STATES, Catalogue, RunFilter
from pixgen.studio.runs.run import Run, RunTags
from pixgen.studio.runs.trash import move_to_trash, restore_from_trash
from tests.studio.fakes import a_recipe

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request):
    """Where the catalogue's database is."""
    return request.getfixturevalue("postgres_server") if request.param == "postgresql" else ""


@pytest.fixture
def catalogue(tmp_path, address):
    with closing(Catalogue(tmp_path, address=address)) as opened:
        yield opened


@pytest.fixture
def sqlite_catalogue(tmp_path):
    return Catalogue(tmp_path)


@pytest.fixture
def put(tmp_path):
    """Puts a run's files into the folder; runs are a minute apart."""
    made = []

    def put_one(prompt="a red fox", *, marks=None, preset="", seed=0, **facts):
        number = len(made)
        folder = tmp_path / f"20261123-12{number:02d}00-abcdef"
        folder.mkdir()
        recipe = a_recipe(prompts=prompt, preset=preset, seed=seed)
        facts = {"state": "done", "started": NOON + timedelta(minutes=number), **facts}
        run = Run(folder=folder, recipe=recipe, **facts)
        run.save()
        if marks is not None:
            marks.save(folder)
        made.append(run)
        return run

    return put_one


def found(catalogue, **wanted):
    """The prompts of the runs that are wanted."""
    catalogue.synchronise()
    return [entry.prompt for entry in catalogue.find(RunFilter(**wanted))]


def test_it_lists_what_the_folders_say(catalogue, put):
    run = put(
        "a red fox | snow :0.5", preset="draft", seed=2**63 - 1, owner="ada", parent="x", step=5, seconds=2.5,
        similarities=(("a red fox", 0.4), ("snow", 0.1)), marks=RunTags(True, ("sea", "boat")),
    )  # fmt: skip
    catalogue.synchronise()
    (entry,) = catalogue.find(RunFilter())
    assert (entry.id, entry.prompt, entry.preset, entry.seed) == (
        run.id,
        "a red fox | snow :0.5",
        "draft",
        2**63 - 1,
    )
    assert (entry.state, entry.step, entry.steps, entry.seconds) == ("done", 5, 12, 2.5)
    assert (entry.owner, entry.parent, entry.favourite) == ("ada", "x", True)
    assert (entry.tags, entry.started) == (("boat", "sea"), NOON)
    assert entry.similarity == pytest.approx((0.4 + 0.5 * 0.1) / 1.5)


def test_what_is_new_changed_moved_or_gone_is_noticed(catalogue, put, tmp_path):
    first, second = put("one"), put("two")
    assert found(catalogue) == ["two", "one"]
    third = put("three")
    assert found(catalogue) == ["three", "two", "one"]
    dataclasses.replace(first, state="failed").save()
    assert found(catalogue, state="failed") == ["one"]
    move_to_trash(second.folder)
    assert (found(catalogue), found(catalogue, trashed=True)) == (["three", "one"], ["two"])
    restore_from_trash(tmp_path, second.id)
    assert found(catalogue) == ["three", "two", "one"]
    for path in third.folder.iterdir():
        path.unlink()
    third.folder.rmdir()
    assert found(catalogue) == ["two", "one"]


def test_runs_that_have_not_changed_are_not_read_again(put, tmp_path):
    asked = []

    def read(run_id):
        asked.append(run_id)
        return runs[run_id]

    runs = {run.id: run for run in (put("one"), put("two"))}
    for run in runs.values():  # as if they had been painted long ago
        os.utime(run.folder, (NOON.timestamp(), NOON.timestamp()))
    catalogue = Catalogue(tmp_path, read=read)
    assert found(catalogue) == ["two", "one"]
    assert sorted(asked) == sorted(runs)
    assert found(catalogue) == ["two", "one"]
    assert len(asked) == 2


@pytest.mark.parametrize("spoilt", ["missing", "no database", "another version", "older table"])
def test_without_its_file_it_is_made_anew(sqlite_catalogue, put, tmp_path, spoilt):
    put("one", marks=RunTags(True, ("sea",)))
    assert found(sqlite_catalogue) == ["one"]
    if spoilt == "missing":
        (tmp_path / FILE).unlink()
    elif spoilt == "no database":
        (tmp_path / FILE).write_bytes(b"words, not tables" * 100)
    else:
        with sqlite3.connect(tmp_path / FILE) as table:
            table.execute("PRAGMA user_version = 99")
            table.execute("DROP TABLE tags")
        table.close()
    assert found(sqlite_catalogue, tag="sea", favourite=True) == ["one"]


def test_a_file_that_breaks_in_the_middle_is_said_and_made_anew(sqlite_catalogue, put, tmp_path):
    for _ in range(40):
        put("a long prompt " * 20)
    assert len(found(sqlite_catalogue)) == 40
    data = bytearray((tmp_path / FILE).read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)  # the first page is whole
    (tmp_path / FILE).write_bytes(bytes(data))
    with pytest.raises(StorageError, match="was broken and is being rebuilt"):
        found(sqlite_catalogue)
    assert len(found(sqlite_catalogue)) == 40


def test_a_database_that_another_process_holds_is_said_and_is_there_later(
    sqlite_catalogue, put, tmp_path, monkeypatch
):
    put("one")
    assert found(sqlite_catalogue) == ["one"]
    monkeypatch.setattr("pixgen.studio.gallery.database._PATIENCE", 0.1)
    put("two")
    fresh = Catalogue(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError):
            found(fresh)
        other.execute("ROLLBACK")
    assert found(fresh) == ["two", "one"]


def test_a_folder_that_is_no_run_or_broken_is_left_out(catalogue, put, tmp_path):
    put("one")
    (tmp_path / "20261123-130000-abcdef").mkdir()  # killed before anything was written
    (tmp_path / "holidays").mkdir()
    broken = put("two")
    (broken.folder / "run.json").write_text("{")
    assert found(catalogue) == ["one"]
    broken.save()
    assert found(catalogue) == ["two", "one"]


def test_filters(catalogue, put):
    put("a red fox", preset="draft", state="stopped", owner="ada")
    put("a blue whale", preset="best", marks=RunTags(favourite=True))
    put("a fox at SEA", marks=RunTags(tags=("boat trip",)), state="failed")
    put("ĞÜZEL İstanbul")
    for wanted, prompts in [
        ({"text": "Fox"}, ["a fox at SEA", "a red fox"]),
        ({"text": "sea  fox"}, ["a fox at SEA"]),
        ({"text": "boat"}, ["a fox at SEA"]),
        ({"text": "ğüzel"}, ["ĞÜZEL İstanbul"]),
        ({"text": "%"}, []),
        ({"preset": "draft"}, ["a red fox"]),
        ({"state": "stopped"}, ["a red fox"]),
        ({"state": "painting"}, []),
        ({"favourite": True}, ["a blue whale"]),
        ({"tag": "Boat  Trip"}, ["a fox at SEA"]),
        ({"tag": "boat"}, []),
        ({"owner": "ada"}, ["a red fox"]),
        ({"after": NOON + timedelta(minutes=3)}, ["ĞÜZEL İstanbul"]),
        ({"before": NOON + timedelta(minutes=1)}, ["a red fox"]),
        ({"ids": ()}, []),
        ({"text": "fox", "state": "failed"}, ["a fox at SEA"]),
    ]:
        assert found(catalogue, **wanted) == prompts, wanted
    assert catalogue.values("preset", RunFilter()) == {"": 2, "best": 1, "draft": 1}
    assert catalogue.values("tag", RunFilter()) == {"boat trip": 1}
    assert catalogue.count(RunFilter(text="fox")) == 2


@pytest.mark.parametrize(
    ("sort", "prompts"),
    [
        ("newest", ["a", "c", "b"]),
        ("oldest", ["b", "c", "a"]),
        ("similarity", ["c", "b", "a"]),
        ("likeness", ["c", "b", "a"]),  # its name in earlier versions
        ("longest", ["b", "a", "c"]),
        ("prompt", ["a", "b", "c"]),
    ],
)
def test_sorting_and_pages(catalogue, put, sort, prompts):
    put("b", similarities=(("b", 0.1),), seconds=9.0)
    put("c", similarities=(("c", 0.3),), seconds=1.0)
    put("a", seconds=2.0)  # without a likeness: last
    assert found(catalogue, sort=sort) == prompts
    pages = [catalogue.find(RunFilter(sort=sort), first=first, count=2) for first in (0, 2, 4)]
    assert [[entry.prompt for entry in page] for page in pages] == [prompts[:2], prompts[2:], []]


@pytest.mark.parametrize(("what", "choices"), [({"sort": "best"}, SORTS), ({"state": "x"}, STATES)])
def test_an_unknown_order_or_state_is_answered_with_the_names(what, choices):
    with pytest.raises(StudioError, match=", ".join(choices)):
        RunFilter(**what)


def test_many_threads_begin_with_no_file_at_once(put, tmp_path):
    for _ in range(5):
        put("one")
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda _: found(Catalogue(tmp_path)), range(16)))
    assert lists == [["one"] * 5] * 16


def test_words_that_no_file_can_hold_find_nothing(catalogue, put):
    put("one")
    for wanted in ({"text": "half \ud83e"}, {"preset": "\ud83e"}, {"owner": "\ud83e"}):
        assert found(catalogue, **wanted) == []


def test_a_fork_is_listed_under_its_own_words(catalogue, put):
    run = put("a red fox")
    fork = run.recipe.with_change(1, prompts=parse("an owl asleep")).with_change(2, learning_rate=0.2)
    replace(run, recipe=fork).save()
    assert found(catalogue, text="owl") == ["an owl asleep"]
    assert found(catalogue, text="fox") == ["an owl asleep"]  # also by those that it came from
