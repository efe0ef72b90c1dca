"""Indexing: only what is new or changed is looked at, a kill loses little, hostile files do no harm."""

import io
import os
import shutil
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from pixgen.errors import SearchError
from pixgen.vision.images import find_pictures, map_in_threads, resize_square
from pixgen.vision.search import indexing
from pixgen.vision.search.indexing import Progress, index_pictures
from tests.vision.conftest import COLOURS, draw


@pytest.fixture
def indexed(library, folder, tiny_perceptor):
    """Indexes the folder, and tells how it went last."""

    def indexed(**how) -> Progress:
        collection = library.create("holiday", "tiny", dimensions=16, source=str(folder))
        *_, last = index_pictures(collection, find_pictures(folder), tiny_perceptor, folder=folder, **how)
        return last

    return indexed


def counts(progress: Progress) -> tuple[int, int, int, int, int]:
    return (
        progress.added,
        progress.changed,
        progress.removed,
        progress.unchanged,
        len(progress.skipped),
    )


def test_only_new_or_changed_files_are_opened(indexed, library, folder, monkeypatch):
    looks = []
    look = indexing.open_file
    monkeypatch.setattr(
        indexing, "open_file", lambda found, *a, **k: looks.append(found.path) or look(found, *a, **k)
    )
    assert counts(indexed()) == (6, 0, 0, 0, 0)
    looks.clear()
    assert counts(indexed()) == (0, 0, 0, 6, 0)
    assert looks == []
    draw(folder / "new.png", "white")
    draw(folder / "red.png", "black", size=(64, 64))
    (folder / "blue.png").unlink()
    assert counts(indexed()) == (1, 1, 1, 4, 0)
    assert sorted(looks) == ["new.png", "red.png"]
    known = library.open("holiday", "tiny").fingerprints()
    assert sorted(known) == [
        "deep/er/green.png",
        "deep/er/orange.png",
        "deep/er/yellow.png",
        "new.png",
        "purple.png",
        "red.png",
    ]


def test_a_new_time_alone_changes_no_vector(indexed, library, folder):
    indexed()
    os.utime(folder / "red.png", ns=(1, 1_000_000_007))
    assert counts(indexed()) == (0, 0, 0, 6, 0)
    assert library.open("holiday", "tiny").fingerprints()["red.png"][1] == 1_000_000_007
    assert len(library.open("holiday", "tiny")) == 6


def test_the_hash_decides_where_size_is_the_same(indexed, library, folder):
    indexed()
    before = library.open("holiday", "tiny").vector("red.png")
    data = bytearray((folder / "red.png").read_bytes())
    picture = Image.open(io.BytesIO(bytes(data)))
    other = draw(folder.parent / "other.png", "white", mark=5)
    room = len(data) - other.stat().st_size
    (folder / "red.png").write_bytes(other.read_bytes() + b"\0" * room if room >= 0 else b"")
    os.utime(folder / "red.png", ns=(1, 1_000_000_007))
    assert picture.size == (48, 32)
    assert counts(indexed()) == (0, 1, 0, 5, 0)
    assert not np.allclose(before, library.open("holiday", "tiny").vector("red.png"))


def test_a_kill_loses_at_most_a_batch_and_the_next_run_goes_on(
    indexed, library, folder, tiny_perceptor, monkeypatch
):
    monkeypatch.setattr(indexing, "BATCH", 2)
    collection = library.create("holiday", "tiny", dimensions=16, source=str(folder))
    running = index_pictures(collection, find_pictures(folder), tiny_perceptor, folder=folder)
    for progress in running:
        if progress.done == 4:
            break
    running.close()
    assert len(collection) == 4
    assert counts(indexed()) == (2, 0, 0, 4, 0)


def test_a_kill_between_forgetting_and_adding_is_mended(indexed, library):
    indexed()
    library.open("holiday", "tiny").remove(["red.png"])
    assert counts(indexed()) == (1, 0, 0, 5, 0)


def test_duplicates_of_two_processes_are_removed(indexed, library):
    indexed()
    collection = library.open("holiday", "tiny")
    row, _, vector = collection.nearest(collection.vector("red.png"), top=1)[0]
    collection.add([row], vector[None])
    assert len(collection) == 7
    assert counts(indexed()) == (1, 0, 0, 5, 0)
    assert len(collection) == 6


def bomb() -> bytes:
    """A small PNG that says it has 900 megapixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    side = (30_000).to_bytes(4, "big")
    head = chunk(b"IHDR", side + side + bytes([8, 2, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def test_hostile_files_are_skipped_and_listed(indexed, folder, tmp_path):
    outside = draw(tmp_path / "secret.png", "white")
    (folder / "bomb.png").write_bytes(bomb())
    (folder / "half.png").write_bytes((folder / "red.png").read_bytes()[:60])
    (folder / "words.jpg").write_text("no pixels here")
    (folder / "empty.gif").touch()
    (folder / "notes.txt").write_text("not named as a picture, so not worth a word")
    (folder / "leads-out.png").symlink_to(outside)
    (folder / "leads-out").symlink_to(tmp_path, target_is_directory=True)
    (folder / "round").symlink_to(folder, target_is_directory=True)
    (folder / "twice.png").symlink_to(folder / "red.png")
    os.mkfifo(folder / "pipe.png")
    last = indexed()
    assert (last.added, last.removed, last.changed) == (6, 0, 0)
    reasons = {each.path: each.reason for each in last.skipped}
    assert sorted(reasons) == [
        "bomb.png",
        "empty.gif",
        "half.png",
        "leads-out",
        "leads-out.png",
        "pipe.png",
        "words.jpg",
    ]
    assert "too large" in reasons["bomb.png"]
    assert "outside the folder" in reasons["leads-out.png"]
    assert all(reason.endswith(".") for reason in reasons.values())


def test_a_picture_that_became_unreadable_is_removed(indexed, library, folder):
    indexed()
    (folder / "red.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    last = indexed()
    assert [each.path for each in last.skipped] == ["red.png"]
    assert "red.png" not in library.open("holiday", "tiny").fingerprints()


def test_a_bug_in_a_decoder_does_not_end_the_work(indexed, monkeypatch, caplog):
    look = indexing.open_file

    def broken(found, *given, **named):
        if found.path == "red.png":
            raise ZeroDivisionError("deep inside")
        return look(found, *given, **named)

    monkeypatch.setattr(indexing, "open_file", broken)
    last = indexed()
    assert last.added == 5
    assert [each.reason for each in last.skipped] == ["It cannot be opened."]
    assert "deep inside" in caplog.text


def test_names_of_every_kind_are_indexed(indexed, library, folder):
    names = [
        "o'clock.png",
        '"; DROP TABLE.png',
        "100%_.png",
        "日本.png",
        "back\\slash.png",
        " .png",
    ]
    for place, name in enumerate(names):
        draw(folder / name, "white", mark=place)
    assert indexed().added == 12
    assert set(names) <= set(library.open("holiday", "tiny").fingerprints())
    for name in names:
        (folder / name).unlink()
    assert counts(indexed()) == (0, 0, 6, 6, 0)


def test_progress_has_rate_and_time_left(library, folder, tiny_perceptor, monkeypatch):
    monkeypatch.setattr(indexing, "BATCH", 2)
    collection = library.create("holiday", "tiny", dimensions=16)
    told = list(index_pictures(collection, find_pictures(folder), tiny_perceptor, folder=folder))
    assert [each.state for each in told] == ["finding", *["looking"] * 4, "tidying", "done"]
    assert [each.done for each in told[1:5]] == [0, 2, 4, 6]
    assert told[2].rate > 0
    assert told[2].seconds_left == pytest.approx(4 / told[2].rate)


def test_the_device_is_held_for_one_batch_at_a_time(indexed):
    taken = []

    @contextmanager
    def turn():
        taken.append("in")
        yield
        taken.append("out")

    indexed(turn=turn)
    assert taken == ["in", "out"]


def test_rows_of_runs_have_more_facts(library, folder, tiny_perceptor):
    collection = library.create("runs", "tiny", dimensions=16)
    said = {
        "prompt": "a fox",
        "preset": "draft",
        "model": "pocket",
        "seed": 2**63 - 1,
        "owner": "ada",
    }
    *_, last = index_pictures(
        collection, find_pictures(folder), tiny_perceptor, folder=folder, facts=lambda found: said
    )
    row = collection.nearest(collection.vector("red.png"), top=1)[0][0]
    assert (row.prompt, row.seed, row.owner) == ("a fox", 2**63 - 1, "ada")
    assert (row.width, row.height) == (48, 32)
    assert last.added == 6


def test_a_missing_folder_is_a_search_error(tmp_path):
    with pytest.raises(SearchError, match="There is no folder “nowhere”"):
        list(find_pictures(tmp_path / "nowhere"))


def test_a_square_is_what_the_perceptor_would_have_made(tiny_perceptor, folder):
    from pixgen.vision.images import to_batch

    picture = Image.open(folder / "red.png").convert("RGB")
    by_itself = tiny_perceptor.embed_images(to_batch([np.asarray(picture)], "cpu"))
    squared = tiny_perceptor.embed_images(to_batch([resize_square(picture, 32)], "cpu"))
    assert float((by_itself * squared).sum().detach()) > 0.995


def test_in_parallel_keeps_the_order_and_runs_little_ahead():
    begun = []
    results = map_in_threads(lambda item: begun.append(item) or item, range(100), ahead=8)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(begun) <= 11
    assert list(results) == list(range(3, 100))


def test_colours_are_as_many_as_the_folder_has(folder):
    assert len(list(find_pictures(folder))) == len(COLOURS)
    shutil.rmtree(folder / "deep")
    assert [found.path for found in find_pictures(folder)] == ["blue.png", "purple.png", "red.png"]
