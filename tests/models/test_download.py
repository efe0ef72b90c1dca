"""A download survives what happens to downloads, and what it leaves is the whole right file or none."""

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pixgen.errors import ModelError, StorageError
from pixgen.models import download as module
from pixgen.models.cache import file_lock
from pixgen.models.download import download
from pixgen.models.progress import DownloadProgress, listen_to_downloads
from tests.models.servers import Files, serving

DATA = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(DATA).hexdigest()
DEAD = "http://127.0.0.1:9/model.ckpt"  # the port where nothing listens


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 10_000)


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "model.ckpt"


def leftovers(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path.suffix != ".lock")


def test_download_progress_is_reported(target):
    told = []
    with serving(Files(DATA)) as files, listen_to_downloads(told.append):
        assert download([files.url], target, model="a", sha256=SHA256) == files.url
    assert target.read_bytes() == DATA
    assert leftovers(target) == ["model.ckpt"]
    assert told[0] == DownloadProgress("a", 0, len(DATA))
    assert told[-1] == DownloadProgress("a", len(DATA), len(DATA))
    assert [each.done for each in told] == sorted(each.done for each in told)


def test_a_download_resumes_after_a_broken_connection(target):
    with serving(Files(DATA, breaks=[200_000, 300_000])) as files:
        download([files.url], target, model="a", sha256=SHA256)
    assert target.read_bytes() == DATA
    assert [asked.split("=")[-1] for asked in files.asked] == ["", "200000-", "300000-"]


def test_a_download_resumes_in_a_later_call(target):
    with serving(Files(DATA, breaks=[100_000, 110_000, 120_000])) as files:
        with pytest.raises(ModelError, match=r"127.0.0.1:\d+: the connection was lost"):
            download([files.url], target, model="a")
        assert leftovers(target) == ["model.ckpt.part", "model.ckpt.part.json"]
        download([files.url], target, model="a")
    assert target.read_bytes() == DATA
    assert files.asked[-1] == "bytes=120000-"


@pytest.mark.parametrize("how", ["no ranges", "another file"])
def test_a_download_that_cannot_resume_starts_again(target, how):
    with serving(Files(bytes(len(DATA)), breaks=[100_000])) as files:
        with pytest.raises(Stopped), listen_to_downloads(stop_at(100_000)):
            download([files.url], target, model="a")
        files.data, files.ranges = DATA, how != "no ranges"
        download([files.url], target, model="a", sha256=SHA256)
    assert target.read_bytes() == DATA


class Stopped(Exception):  # noqa: N818
    pass


def stop_at(count: int):
    def listener(fetching: DownloadProgress) -> None:
        if fetching.done >= count:
            raise Stopped

    return listener


def test_a_listener_can_stop_a_download(target):
    with serving(Files(DATA)) as files:
        with pytest.raises(Stopped), listen_to_downloads(stop_at(50_000)):
            download([files.url], target, model="a")
        assert not target.exists()
        download([files.url], target, model="a", sha256=SHA256)
    assert files.asked[1].startswith("bytes=")


def test_the_next_url_is_tried_when_one_fails(target, monkeypatch):
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    page = Files(b"<html>moved</html>", kind="text/html; charset=utf-8")
    with serving(Files(b"", status=404)) as gone, serving(page), serving(Files(DATA)) as good:
        urls = [DEAD, gone.url, page.url, good.url]
        assert download(urls, target, model="a", sha256=SHA256) == good.url
    assert target.read_bytes() == DATA


def test_a_partial_download_of_another_file_is_not_continued(target):
    with (
        serving(Files(bytes(len(DATA)), breaks=[90_000] * 3)) as one,
        serving(Files(DATA)) as other,
    ):
        assert download([one.url, other.url], target, model="a") == other.url
    assert target.read_bytes() == DATA
    assert other.asked == [""]


def test_a_file_with_a_wrong_hash_is_deleted_and_reported(target):
    with serving(Files(DATA[:-1] + b"!")) as wrong:
        with pytest.raises(ModelError, match=f"gave another file .* instead of {SHA256[:12]}"):
            download([wrong.url], target, model="a", sha256=SHA256)
        assert leftovers(target) == ["model.ckpt.part.json"]
        with serving(Files(DATA)) as good:
            assert download([wrong.url, good.url], target, model="a", sha256=SHA256) == good.url
    assert target.read_bytes() == DATA


def test_a_full_disk_is_an_error_before_the_download(target, monkeypatch):
    monkeypatch.setattr("pixgen.models.cache.free_bytes", lambda folder: 600_000_000)
    with serving(Files(DATA)) as files:
        with pytest.raises(ModelError, match="“a” needs 1.5 GB, but .* has only 600 MB free"):
            download([files.url], target, model="a", megabytes=980)
        assert files.asked == []
        monkeypatch.setattr("pixgen.models.cache.free_bytes", lambda folder: 100)
        with pytest.raises(ModelError, match="needs 537 MB, but .* has only 0 MB free"):
            download([files.url], target, model="a")  # its size was not known before
    assert not target.exists()


def test_a_disk_that_fills_during_a_download_is_a_storage_error(target, monkeypatch):
    def full(part, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_verify", full)
    with (
        serving(Files(DATA)) as files,
        pytest.raises(StorageError, match="No space left on device"),
    ):
        download([files.url], target, model="a")


def test_a_second_thread_waits_for_the_download(target):
    told, held = [], threading.Event()

    def fetch():
        with listen_to_downloads(lambda fetching: (told.append(fetching), held.set())):
            download([files.url], target, model="a")

    with serving(Files(DATA)) as files:
        with file_lock(target, model="a"):
            thread = threading.Thread(target=fetch)
            thread.start()
            assert held.wait(5)
        thread.join()
    assert told[0] == DownloadProgress("a", waiting=True)
    assert target.read_bytes() == DATA


def test_two_processes_download_a_file_once(target):
    code = (
        "import sys; from pathlib import Path; from pixgen.models.download import download;"
        "print(download([sys.argv[1]], Path(sys.argv[2]), model='a'))"
    )
    with serving(Files(DATA)) as files:
        command = [sys.executable, "-c", code, files.url, str(target)]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = sorted(each.communicate(timeout=60)[0].strip() for each in both)
    assert said == ["", files.url]
    assert files.asked == [""]
    assert target.read_bytes() == DATA
