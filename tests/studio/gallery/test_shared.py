"""Several pages over one folder of runs: each is a studio with its gallery, two of them in processes of their own."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from pixgen.errors import StorageError, StudioError
from pixgen.studio import Policy, Studio
from pixgen.studio.gallery.catalogue import Catalogue
from pixgen.studio.gallery.database import FILE, ID_FILE, folder_id
from pixgen.studio.gallery.entries import RunFilter
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.runs.retention import Retention, RetentionLimits
from pixgen.studio.runs.run import RunLock
from pixgen.studio.runs.trash import move_to_trash
from tests.studio.fakes import Painters, a_recipe, until

PUBLIC = Policy(public=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request):
    """Where the catalogue's database is."""
    return request.getfixturevalue("postgres_server") if request.param == "postgresql" else ""


@pytest.fixture
def pages(tmp_path, address):
    """Opens pages over the same folder, each a gallery with its studio."""
    with ExitStack() as stack:

        def open_page(**options):
            options = {"painter": Painters(), "device": "cpu", **options}
            return Gallery(stack.enter_context(Studio(tmp_path / "runs", catalogue=address, **options)))

        yield open_page


def prompts(gallery, owner="", **wanted):
    """The prompts of the runs that a person finds."""
    return [entry.prompt for entry in gallery.find(RunFilter(**wanted), owner=owner)]


def paint(gallery, text, owner=""):
    job = gallery.studio.submit(a_recipe(prompts=text), owner=owner)
    assert job.wait(20)
    return job.run


def test_a_picture_is_in_the_gallery_of_every_page_for_its_owner_alone(pages):
    one, other = pages(policy=PUBLIC), pages(policy=PUBLIC)
    run = paint(one, "a red fox", "ada")
    paint(other, "a blue whale", "grace")
    for page in (one, other):
        assert prompts(page, "ada") == ["a red fox"]
        assert prompts(page, "grace") == ["a blue whale"]
        assert prompts(page, "alan") == []
        with pytest.raises(StudioError, match="There is no run"):
            page.open(run.id, owner="grace")
    assert other.thumbnails(other.find(RunFilter(), owner="ada")) == one.thumbnails(
        one.find(RunFilter(), owner="ada")
    )


def test_what_one_page_does_with_a_run_the_other_one_sees(pages):
    one, other = pages(), pages()
    run = paint(one, "a red fox")
    other.update_tags(run.id, add=["sea"], favourite=True)
    assert (one.entry(run.id).tags, one.entry(run.id).favourite) == (("sea",), True)
    one.delete(run.id)
    assert (prompts(other), prompts(other, trashed=True)) == ([], ["a red fox"])
    other.restore(run.id)
    assert prompts(one) == ["a red fox"]
    one.delete(run.id)
    assert (other.empty_trash(), one.empty_trash()) == (1, 0)
    assert one.find(RunFilter(trashed=None)) == []


def test_a_run_that_another_page_paints_is_painting_and_left_alone(pages):
    one, other = pages(painter=Painters(seconds=0.05)), pages()
    job = one.studio.submit(a_recipe(steps=400))
    until(lambda: job.frame is not None)
    assert other.entry(job.id).state in ("loading", "painting")
    assert pages().entry(job.id).state in ("loading", "painting")  # a page that is opened now
    for change in (other.delete, other.studio.resume):
        with pytest.raises(StudioError, match="is being painted"):
            change(job.id)
    job.stop()
    assert job.wait(20)
    assert other.entry(job.id).state == "stopped"
    assert other.studio.resume(job.id, steps=401).id == job.id
    assert one.entry(job.id).state != "stopped"


def test_a_run_that_failed_here_and_was_finished_by_another_page_is_finished(pages, tmp_path):
    painters = Painters()
    painters.fail_at, painters.error = 3, StudioError("A wire is loose.")
    one, other = pages(painter=painters), pages()
    run = paint(one, "a red fox")
    assert one.studio.run(run.id).state == "failed"
    assert other.studio.resume(run.id).wait(20)
    assert (one.studio.run(run.id).state, one.entry(run.id).state) == ("done", "done")


def test_tags_of_many_pages_at_once_are_all_kept(pages):
    galleries = [pages() for _ in range(4)]
    run = paint(galleries[0], "a red fox")
    with ThreadPoolExecutor(8) as pool:
        words = [f"tag {number}" for number in range(16)]
        list(
            pool.map(lambda number: galleries[number % 4].update_tags(run.id, add=[words[number]]), range(16))
        )
    assert set(galleries[0].entry(run.id).tags) == set(words)


def test_pages_remove_expired_runs_at_once(pages):
    galleries = [pages() for _ in range(3)]
    for number in range(6):
        paint(galleries[number % 3], f"fox {number}")
    limits = [Retention(gallery, RetentionLimits(runs=2)) for gallery in galleries]
    with ThreadPoolExecutor(3) as pool:
        removed = list(pool.map(lambda each: each.remove_expired(), limits))
    assert sum(map(len, removed)) == 4
    assert prompts(galleries[0], sort="oldest") == ["fox 4", "fox 5"]


def test_a_run_that_is_moved_while_another_page_resumes_it_stays_where_it_is_moved(pages, monkeypatch):
    one, other = pages(), pages()
    run = paint(one, "a red fox")
    replace(run, state="stopped", step=3).save()

    def moved_before(folder):
        move_to_trash(folder)
        return RunLock(folder)

    monkeypatch.setattr("pixgen.studio.store.store.RunLock", moved_before)
    with pytest.raises(StorageError):
        other.studio.resume(run.id)
    assert not run.folder.exists()
    assert one.entry(run.id).trashed


def test_a_folder_that_a_network_file_system_lists_late_is_found_by_name(pages, monkeypatch):
    one, other = pages(), pages()
    paint(one, "a red fox")
    assert prompts(one) == ["a red fox"]
    monkeypatch.setattr(other.catalogue, "_folders", lambda: iter(()))
    assert prompts(other) == ["a red fox"]


_PAGE = """
import json, sys
from pixgen.studio import Policy, Studio
from pixgen.studio.gallery.entries import RunFilter
from pixgen.studio.gallery.gallery import Gallery
from tests.studio.fakes import Painters, a_recipe

folder, owner = sys.argv[1:]
with Studio(folder, device="cpu", painter=Painters(), policy=Policy(public=True)) as studio:
    gallery = Gallery(studio)
    for line in sys.stdin:
        if text := line.strip():
            studio.submit(a_recipe(prompts=text), owner=owner).wait(20)
        found = {name: [each.prompt for each in gallery.find(RunFilter(), owner=name)] for name in ("ada", "grace")}
        print(json.dumps(found), flush=True)
"""


class Page:
    """A studio with its gallery in a separate process, as another page has it."""

    def __init__(self, folder: Path, owner: str, address: str) -> None:
        environment = {**os.environ, "PIXGEN_CATALOGUE": address, "PYTHONPATH": os.getcwd()}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PAGE, str(folder), owner],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def look(self, text: str = "") -> dict:
        """Paint a prompt if there is one; returns what each person finds then."""
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate(timeout=30)


@pytest.mark.slow
def test_two_processes_show_one_gallery(tmp_path, address):
    with closing(Page(tmp_path, "ada", address)) as one, closing(Page(tmp_path, "grace", address)) as other:
        assert one.look("a red fox") == {"ada": ["a red fox"], "grace": []}
        assert other.look() == {"ada": ["a red fox"], "grace": []}
        assert other.look("a blue whale") == {"ada": ["a red fox"], "grace": ["a blue whale"]}
        assert one.look() == {"ada": ["a red fox"], "grace": ["a blue whale"]}
    assert (tmp_path / FILE).exists() == (not address)


def test_each_folder_has_its_own_list_in_a_shared_database(postgres_server, tmp_path):
    for name in ("one", "other"):
        studio = Studio(tmp_path / name, device="cpu", painter=Painters(), catalogue=postgres_server)
        with studio:
            gallery = Gallery(studio)
            paint(gallery, name)
            assert prompts(gallery) == [name]
    (tmp_path / "one").rename(tmp_path / "moved")  # or it has another path on another machine
    with closing(Catalogue(tmp_path / "moved", address=postgres_server)) as catalogue:
        assert [entry.prompt for entry in catalogue.find(RunFilter())] == ["one"]


def test_dropped_tables_are_made_anew(postgres_server, tmp_path):
    import psycopg

    with Studio(tmp_path, device="cpu", painter=Painters(), catalogue=postgres_server) as studio:
        gallery = Gallery(studio)
        paint(gallery, "a red fox")
        assert prompts(gallery) == ["a red fox"]
        with psycopg.connect(postgres_server) as database:
            database.execute(f'DROP SCHEMA "pixgen_{folder_id(tmp_path)}_v3" CASCADE')
        with pytest.raises(StorageError, match="no run is lost"):
            gallery.find(RunFilter())
        assert prompts(gallery) == ["a red fox"]


def test_a_connection_that_the_server_has_ended_is_opened_again(postgres_server, tmp_path):
    import psycopg

    with Studio(tmp_path, device="cpu", painter=Painters(), catalogue=postgres_server) as studio:
        gallery = Gallery(studio)
        paint(gallery, "a red fox")
        assert prompts(gallery) == ["a red fox"]
        with psycopg.connect(postgres_server) as database:
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        assert prompts(gallery) == ["a red fox"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("mysql://ada@localhost/runs", "postgresql://USER"),
        ("localhost", "postgresql://USER"),
        ("postgresql://localhost:5432", "postgresql://USER"),
        ("postgresql://ada:secret@127.0.0.1:9/runs", r"127.0.0.1:9/runs” cannot be used \(.*refused"),
    ],
)
def test_an_address_without_a_database_is_an_error_that_says_what_to_do(tmp_path, wrong, message):
    pytest.importorskip("psycopg", reason="the extra “postgres” is not installed")
    with pytest.raises(StudioError, match=message) as raised:
        Catalogue(tmp_path, address=wrong)
    assert "secret" not in str(raised.value)


def test_a_broken_id_is_an_error_that_says_what_to_do(postgres_server, tmp_path):
    (tmp_path / ID_FILE).write_text("; DROP TABLE runs")
    with pytest.raises(StudioError, match=f"“{ID_FILE}” is broken: delete it"):
        Catalogue(tmp_path, address=postgres_server)
