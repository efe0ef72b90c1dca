"""Runs in an object store: pages with folders of their own over one store, a local S3 server or a folder."""

import errno
import json
import logging
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pixgen.errors import PictureError, StorageError, StudioError
from pixgen.studio import Policy, Studio
from pixgen.studio.gallery.entries import RunFilter
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.library.library import RUNS, PictureLibrary
from pixgen.studio.runs.retention import Retention, RetentionLimits
from pixgen.studio.runs.run import RunTags, read_tags
from pixgen.studio.store import leases, mirror, store
from pixgen.studio.store.manifest import COPY_FILE, RunLabels, merge_labels, read_manifest
from pixgen.studio.store.objects import ObjectStore
from tests.studio.fakes import Painters, a_recipe, until

PUBLIC = Policy(public=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Pages look at the store and at their folders without pauses, and a page that is gone is soon noticed."""
    monkeypatch.setattr(mirror, "_LIST_EVERY", 0.0)
    monkeypatch.setattr(mirror, "_LIST_SHARE", 0.0)
    for name in ("_LOOK_EVERY", "_LOOK_IDLE", "_RETRY_EVERY", "_COPY_EVERY"):
        monkeypatch.setattr(store, name, 0.05)


@pytest.fixture(params=["file", "s3"])
def address(request, tmp_path):
    """Where the store is."""
    return f"file://{tmp_path}/store" if request.param == "file" else request.getfixturevalue("bucket")


@pytest.fixture
def pages(tmp_path, address):
    """Opens pages with a folder each, each a gallery with its studio."""
    with ExitStack() as stack:

        def open_page(name, **options):
            options = {"painter": Painters(), "device": "cpu", "storage": address, "catalogue": "", **options}
            gallery = Gallery(stack.enter_context(Studio(tmp_path / name, **options)))
            stack.callback(options["painter"].go_on.set)  # runs first: a held painter would never end
            return gallery

        yield open_page


def prompts(gallery, owner="", **wanted):
    """The prompts of the runs that a person finds."""
    return [entry.prompt for entry in gallery.find(RunFilter(**wanted), owner=owner)]


def paint(gallery, text, owner="", **settings):
    job = gallery.studio.submit(a_recipe(prompts=text, **settings), owner=owner)
    assert job.wait(60)
    return job.run


def copied(gallery, run):
    """Wait until the store has a run's last state, and its lease is free."""
    pages_store = gallery.studio.store
    until(lambda: pages_store._mirror.copy_of(pages_store._mirror.find(run.id)) is not None)
    until(lambda: not (pages_store._leases.holds(run.id) or pages_store._ended))


def pixels(run):
    return np.asarray(Image.open(run.picture))


def is_stored(gallery, job):
    """Whether the store has a state of a running job."""
    stored = gallery.studio.store._read_manifest(job.id)
    return stored is not None and {"state.pt", "picture.png"} <= stored.files.keys()


def lose(gallery, monkeypatch):
    """Let a page lose its connection to the store."""
    for name in ("pipe_file", "find", "cat", "get_file", "rm_file"):
        monkeypatch.setattr(gallery.studio.store._objects._files, name, _refuse)


def die(gallery, monkeypatch):
    """Let a page end as a killed process does: it copies nothing more, and its heartbeat stops."""
    one = gallery.studio.store
    monkeypatch.setattr(one, "_look", lambda last: None)
    one._leases._closing.set()


def test_a_picture_is_in_the_gallery_of_every_page_for_its_owner_alone(pages):
    one, other = pages("one", policy=PUBLIC), pages("other", policy=PUBLIC)
    run = paint(one, "a red fox", "ada")
    whale = paint(other, "a blue whale", "grace")
    copied(one, run)
    copied(other, whale)
    for page in (one, other):
        assert prompts(page, "ada") == ["a red fox"]
        assert prompts(page, "grace") == ["a blue whale"]
        assert prompts(page, "alan") == []
        with pytest.raises(StudioError, match="There is no run"):
            page.open(run.id, owner="grace")
    entries = other.find(RunFilter(), owner="ada")
    assert other.thumbnails(entries) == one.thumbnails(entries) != [None]
    opened = other.open(run.id, owner="ada").run
    assert (pixels(opened) == pixels(run)).all()
    for path in ("video", "state_file", "curve"):
        assert getattr(opened, path).read_bytes() == getattr(run, path).read_bytes()


def test_a_page_with_an_empty_folder_lists_the_runs_before_it_has_their_files(pages, tmp_path):
    one = pages("one")
    run = paint(one, "a red fox")
    copied(one, run)
    other = pages("other")
    assert prompts(other) == ["a red fox"]
    assert prompts(other, text="fox") == ["a red fox"]
    folder = tmp_path / "other" / run.id
    assert sorted(path.name for path in folder.iterdir() if path.suffix) == [
        COPY_FILE, "marks.json", "recipe.json", "run.json",
    ]  # fmt: skip
    assert other.studio.run(run.id).recipe == run.recipe
    assert (folder / "picture.png").is_file()


def test_everyone_waits_for_the_first_list(pages, monkeypatch):
    one = pages("one")
    copied(one, paint(one, "a red fox"))
    other, read = pages("other"), ObjectStore.list

    def slowly(self, folder):
        time.sleep(0.3)
        return read(self, folder)

    monkeypatch.setattr(ObjectStore, "list", slowly)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: prompts(other), range(3))) == [["a red fox"]] * 3


def test_pictures_of_the_store_are_searched(pages, monkeypatch, tiny_perceptor):
    monkeypatch.setattr(Studio, "perceptor", lambda studio, names: tiny_perceptor)
    one, other = pages("one"), pages("other")
    run = paint(one, "a red fox")
    copied(one, run)
    assert prompts(other) == ["a red fox"]
    library = PictureLibrary(other.studio, model="pocket")
    assert [entry.id for entry in other.search(library, "fox", RunFilter())] == [run.id]
    place = library.places[RUNS]
    assert library.find_file(place, f"{run.id}/picture.png").is_file()
    again = PictureLibrary(other.studio, model="pocket")
    assert [progress.total for progress in again.refresh(place)][-1] == 0  # it is indexed as it is


def test_what_one_page_does_with_a_run_the_other_one_sees(pages):
    one, other = pages("one"), pages("other")
    run = paint(one, "a red fox")
    copied(one, run)
    other.update_tags(run.id, add=["sea"], favourite=True)
    until(lambda: one.entry(run.id).tags == ("sea",))
    assert one.entry(run.id).favourite
    one.delete(run.id)
    until(lambda: prompts(other) == [])
    assert prompts(other, trashed=True) == ["a red fox"]
    other.restore(run.id)
    until(lambda: prompts(one) == ["a red fox"])
    one.delete(run.id)
    until(lambda: prompts(other, trashed=True) == ["a red fox"])
    assert other.empty_trash() == 1
    assert one.find(RunFilter(trashed=None)) == other.find(RunFilter(trashed=None)) == []
    assert not run.folder.exists()
    assert pages("third").find(RunFilter(trashed=None)) == []


def test_tags_of_two_pages_at_once_are_all_kept(pages):
    galleries = [pages("one"), pages("other")]
    run = paint(galleries[0], "a red fox")
    copied(galleries[0], run)
    assert prompts(galleries[1]) == ["a red fox"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda n: galleries[n].update_tags(run.id, add=[f"tag {n}"]), range(2)))
    until(lambda: all(page.entry(run.id).tags == ("tag 0", "tag 1") for page in galleries))


def test_a_run_that_another_page_paints_is_painting_and_left_alone(pages):
    one, other = pages("one", painter=Painters(seconds=0.05)), pages("other")
    job = one.studio.submit(a_recipe(steps=400))
    until(lambda: job.frame is not None)
    until(lambda: [entry.id for entry in other.find(RunFilter())] == [job.id])
    assert other.entry(job.id).state in ("waiting", "loading", "painting")
    for change in (other.delete, other.studio.resume, other.studio.fork):
        with pytest.raises(StudioError, match="is being painted"):
            change(job.id)
    job.stop()
    assert job.wait(20)
    copied(one, job)
    assert other.entry(job.id).state == "stopped"
    again = other.studio.resume(job.id, steps=401)
    assert again.wait(20)
    copied(other, again)
    assert one.entry(job.id).state == "done"
    assert (pixels(one.open(job.id).run) == pixels(again.run)).all()


def test_a_run_of_a_page_that_was_killed_is_resumed_by_another_one_with_the_same_pixels(pages, monkeypatch):
    monkeypatch.setattr(leases, "SECONDS", 3.0)
    whole = paint(pages("whole", storage=""), "a red fox", steps=20)
    one, other = pages("one", painter=Painters(hold_at=10), save_every=0.0), pages("other")
    job = one.studio.submit(a_recipe(prompts="a red fox", steps=20))
    until(lambda: job.frame is not None and job.frame.step == 9)

    until(lambda: is_stored(one, job))
    with pytest.raises(StudioError, match="is being painted"):
        other.studio.resume(job.id)
    die(one, monkeypatch)
    until(lambda: other.entry(job.id).state == "stopped")
    again = other.studio.resume(job.id)
    assert again.wait(60)
    assert (pixels(again.run) == pixels(whole)).all()
    assert other.studio.store._leases.page.__len__() > 0


def test_an_unfinished_copy_is_never_listed(pages, monkeypatch):
    one, other = pages("one"), pages("other")
    write = ObjectStore.write

    def fails_at_manifest(self, name, data):
        if name.startswith("runs/"):
            raise StorageError("cut off")
        write(self, name, data)

    monkeypatch.setattr(ObjectStore, "write", fails_at_manifest)
    run = paint(one, "a red fox")
    until(lambda: one.studio.store.waiting == 1)
    assert prompts(other) == []
    monkeypatch.setattr(ObjectStore, "write", write)
    copied(one, run)
    assert prompts(other) == ["a red fox"]
    assert (pixels(other.open(run.id).run) == pixels(run)).all()


def test_a_broken_file_is_not_used(pages, address):
    one, other = pages("one"), pages("other")
    run = paint(one, "a red fox")
    copied(one, run)
    objects = ObjectStore(address)
    stored = read_manifest(objects.read(f"runs/{run.id}.json"))
    objects.write(stored.files["picture.png"].key, b"half a picture")
    with pytest.raises(StorageError, match="broken file"):
        other.open(run.id)


def test_a_manifest_that_names_files_elsewhere_is_refused(address):
    for path in ("../../x", "/etc/passwd", "a\\b", ""):
        value = {"revision": "1", "files": {path: {"key": "", "size": 1, "modified": 1, "text": "x"}}}
        with pytest.raises(StorageError, match="cannot be read"):
            read_manifest(json.dumps(value).encode())


def test_runs_that_were_painted_without_a_store_are_copied(pages):
    run = paint(pages("one", storage=""), "a red fox")
    one, other = pages("one"), pages("other")
    copied(one, run)
    assert prompts(other) == ["a red fox"]


def test_what_a_page_paints_and_changes_while_the_store_is_away_is_copied_later(pages, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "pixgen")
    one, other = pages("one"), pages("other")
    first = paint(one, "a red fox")
    copied(one, first)
    with monkeypatch.context() as away:
        lose(one, away)
        run = paint(one, "a blue whale")
        assert run.state == "done"
        one.update_tags(run.id, favourite=True)
        assert prompts(one) == ["a blue whale", "a red fox"]
        until(lambda: one.studio.store.waiting > 0)
        with pytest.raises(StorageError, match="does not answer"):
            one.studio.resume(first.id, steps=999)
        assert prompts(other) == ["a red fox"]
    until(lambda: prompts(other) == ["a blue whale", "a red fox"])
    until(lambda: other.entry(run.id).favourite)
    said = [record.message for record in caplog.records if "the storage" in record.message]
    assert said[0].startswith("the storage does not answer (no route")
    assert said[1] == "the storage answers again"
    assert len(said) == 2


def _refuse(*_arguments, **_named):
    raise ConnectionError("no route to the store")


def test_a_run_that_two_pages_painted_is_kept_as_two(pages, monkeypatch):
    """A page that lost the store, and then its lease, still has its own picture."""
    monkeypatch.setattr(leases, "SECONDS", 2.0)
    held = Painters(hold_at=10)
    one, other = pages("one", painter=held, save_every=0.0), pages("other", painter=Painters(hold_at=13))
    job = one.studio.submit(a_recipe(prompts="a red fox", steps=16))
    until(lambda: is_stored(one, job))
    with monkeypatch.context() as away:
        lose(one, away)
        until(lambda: other.entry(job.id).state == "stopped")
        again = other.studio.resume(job.id)
        until(lambda: again.frame is not None)
        again.change(prompts="a blue whale")
        other.studio.pool.workers[0]._painter.go_on.set()
        assert again.wait(60)
        copied(other, again)
        held.go_on.set()
        assert job.wait(60)
    until(lambda: len(one.find(RunFilter())) == 2)
    mine = next(each for each in one.find(RunFilter()) if each.id != job.id)
    assert mine.parent == job.id
    assert "Another page continued" in one.studio.run(mine.id).notice
    assert (mine.prompt, one.entry(job.id).prompt) == ("a red fox", "a blue whale")
    assert (pixels(one.open(job.id).run) == pixels(again.run)).all()
    until(lambda: len(other.find(RunFilter())) == 2)
    assert (pixels(other.open(mine.id).run) == pixels(one.open(mine.id).run)).all()
    assert (pixels(other.open(mine.id).run) != pixels(again.run)).any()


def test_retention_removes_runs_for_all_pages(pages):
    one, other = pages("one"), pages("other")
    for number in range(3):
        copied(one, paint(one, f"fox {number}"))
    assert len(prompts(other)) == 3
    assert len(Retention(other, RetentionLimits(runs=1)).remove_expired()) == 2
    assert prompts(one) == ["fox 2"]
    size = one.studio.store.size_of(one.studio.folder / one.find(RunFilter())[0].id)
    assert size > 1000


def test_files_that_the_store_has_make_room_for_others(pages, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_EVICT_EVERY", 0.0)
    monkeypatch.setenv("PIXGEN_STORAGE_CACHE", "0.001 MB")
    one = pages("one")
    run, whole = paint(one, "a red fox"), paint(pages("whole", storage=""), "a red fox")
    until(lambda: not run.picture.exists() and not run.state_file.exists())
    assert one.thumbnails(one.find(RunFilter())) != [None]
    assert (pixels(one.open(run.id).run) == pixels(whole)).all()
    one.studio.store._mirror.evict()
    assert run.picture.exists()
    monkeypatch.setenv("PIXGEN_STORAGE_CACHE", "much")
    with pytest.raises(StudioError, match="is a size, such as “20 GB”"):
        pages("other")


def test_a_store_that_has_lost_a_run_gets_it_again(pages, address):
    one = pages("one")
    run = paint(one, "a red fox")
    copied(one, run)
    ObjectStore(address).remove([f"runs/{run.id}.json"])
    assert prompts(one) == ["a red fox"]
    until(lambda: prompts(pages("other")) == ["a red fox"])


def test_a_job_that_could_not_begin_leaves_nothing(pages):
    one, other = pages("one"), pages("other")
    with pytest.raises(PictureError):
        one.studio.submit(a_recipe(init={"kind": "picture", "picture": "missing.png"}))
    assert prompts(one) == prompts(other) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("runs", "is no address of a storage"),
        ("s3://", "is no address of a storage"),
        ("nonsense://runs", "is no address of a storage"),
        ("file:///proc/pixgen", "cannot be used"),
    ],
)
def test_a_store_that_cannot_be_used_is_an_error_that_says_what_to_do(tmp_path, wrong, message):
    with pytest.raises(StudioError, match=message):
        Studio(tmp_path, device="cpu", storage=wrong)


def test_a_missing_bucket_is_an_error_that_says_what_to_do(bucket, tmp_path):
    with pytest.raises(StudioError, match="no-such-bucket/runs” cannot be used .*bucket does not exist"):
        Studio(tmp_path, device="cpu", storage="s3://no-such-bucket/runs")


def test_another_programs_folder_is_refused(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "pixgen.json").write_text('{"version": 99}')
    with pytest.raises(StudioError, match="of another version"):
        Studio(tmp_path / "runs", device="cpu", storage=f"file://{tmp_path}/store")


def test_one_page_of_many_gets_a_lease(address):
    objects = ObjectStore(address)
    objects.check("leases/pages/test")
    everyone = [leases.Leases(ObjectStore(address)) for _ in range(6)]

    def takes(one):
        try:
            one.acquire("20261130-120000-abcdef")
        except StudioError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(takes, everyone))
    assert sum(got) == 1
    owner = everyone[got.index(True)]
    assert all(set(one.others()) == {"20261130-120000-abcdef"} for one in everyone if one is not owner)
    assert owner.others() == {}
    owner.release("20261130-120000-abcdef")
    assert takes(everyone[got.index(False)])
    for one in everyone:
        one.close()


def test_an_object_is_whole_from_its_first_moment_on(address):
    objects, data = ObjectStore(address), b"a page" * 100_000
    objects.check("leases/pages/test")
    names, seen, over = [f"leases/run/{number}" for number in range(20)], [], threading.Event()

    def look():
        while not over.is_set():
            seen.extend(objects.read_many(names).values())

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        assert all(objects.create(name, data) for name in names)
        assert not any(objects.create(name, b"another") for name in names)
        for name in names:
            objects.write(name, data)
        over.set()
        looking.result()
    assert set(seen) <= {data}
    assert set(objects.list("leases/run")) == {name.removeprefix("leases/run/") for name in names}


def test_a_folder_without_links_still_gives_a_lease_to_one_page(tmp_path, monkeypatch):
    """As on exFAT and on many network drives."""

    def refuse(*_):
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr("os.link", refuse)
    objects = ObjectStore(f"file://{tmp_path}")
    assert objects.create("leases/run/1", b"one")
    assert not objects.create("leases/run/1", b"other")
    assert objects.read("leases/run/1") == b"one"


def test_labels_of_two_pages_are_merged():
    base = RunLabels(tags=("old", "sea"))
    mine, theirs = (
        replace(base, tags=("fox", "sea"), favourite=True),
        replace(base, tags=("old", "sea", "sky")),
    )
    assert merge_labels(base, local=mine, remote=theirs) == RunLabels(True, ("fox", "sea", "sky"), False)


def test_a_local_folder_that_was_deleted_comes_back(pages, tmp_path):
    one = pages("one")
    run = paint(one, "a red fox")
    one.update_tags(run.id, add=["sea"])
    copied(one, run)
    until(lambda: one.studio.store._mirror.copy_of(run.folder).labels.tags == ("sea",))
    one.studio.close()
    shutil.rmtree(tmp_path / "one")
    again = pages("one")
    assert again.entry(run.id).tags == ("sea",)
    assert read_tags(run.folder) == RunTags(False, ("sea",))
    assert again.studio.run(run.id).picture.is_file()
