"""Files on Hugging Face: into its own cache, with progress, and checked by the hash that it promises."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pixgen.errors import ModelError
from pixgen.models import huggingface
from pixgen.models.progress import DownloadProgress, listen_to_downloads

DATA = bytes(range(256)) * 400
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Hugging Face's cache, in a folder of the test's own."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def endpoint(cache) -> Iterator[str]:
    """A Hugging Face of one file, ``org/name/weights.bin``; ``org/spoilt`` promises another hash."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(b"")

        def do_GET(self):
            self.answer(DATA)

        def answer(self, body: bytes) -> None:
            known = self.path.endswith("/resolve/main/weights.bin") or "/resolve/" + "c" * 40 in self.path
            self.send_response(200 if known else 404)
            if known:
                promised = "0" * 64 if "spoilt" in self.path else SHA256
                self.send_header("X-Repo-Commit", "c" * 40)
                self.send_header("ETag", f'"{promised}"')
                self.send_header("Content-Length", str(len(DATA)))
            else:
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
            self.end_headers()
            if known:
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_is_fetched_once_and_told_of(cache, endpoint):
    told = []
    with listen_to_downloads(told.append):
        path = huggingface.fetch("org/name", "weights.bin", model="a", endpoint=endpoint)
    assert path.read_bytes() == DATA
    assert path.is_relative_to(cache)
    assert told[-1] == DownloadProgress("a", len(DATA), len(DATA))
    assert huggingface.is_verified(path)
    assert huggingface.fetch("org/name", "weights.bin", model="a", endpoint="http://127.0.0.1:9") == path


def test_a_changed_file_is_noticed_and_can_be_removed(cache, endpoint):
    path = huggingface.fetch("org/name", "weights.bin", model="a", endpoint=endpoint)
    path.resolve().write_bytes(DATA[1:])
    assert not huggingface.is_verified(path)
    assert huggingface.remove("org/name") > 0
    assert huggingface.cached_path("org/name", "weights.bin") is None


def test_a_file_with_another_hash_than_promised_is_deleted(endpoint):
    with pytest.raises(ModelError, match="does not have the expected hash"):
        huggingface.fetch("org/spoilt", "weights.bin", model="a", endpoint=endpoint)
    assert huggingface.cached_path("org/spoilt", "weights.bin") is None


def test_missing_files_and_lost_connections_are_different_errors(endpoint):
    with pytest.raises(huggingface.NoSuchFile, match="org/name has no other.bin"):
        huggingface.fetch("org/name", "other.bin", model="a", endpoint=endpoint)
    with pytest.raises(ModelError, match="127.0.0.1:9: no connection"):
        huggingface.fetch("org/name", "else.bin", model="a", endpoint="http://127.0.0.1:9")


def test_a_full_disk_is_an_error_before_the_download(endpoint, monkeypatch):
    monkeypatch.setattr("pixgen.models.cache.free_bytes", lambda folder: 1000)
    with pytest.raises(ModelError, match="needs 537 MB, but .* has only 0 MB free"):
        huggingface.fetch("org/name", "weights.bin", model="a", endpoint=endpoint)
