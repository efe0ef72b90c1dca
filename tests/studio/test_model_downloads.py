"""Models are downloaded before they are used: with progress, until they are cancelled, where the policy allows it."""

import threading
import time

import pytest
import torch

from pixgen.errors import ModelError, RecipeError
from pixgen.models import store
from pixgen.models.catalog import Entry
from pixgen.models.progress import DownloadProgress, report_download
from pixgen.studio import Policy, model_cache
from pixgen.studio.model_cache import ModelDownload, ModelDownloads
from tests.models.servers import Files, serving

HALF = DownloadProgress("imagenet-1024", 30, 60)


class Source:
    """Stands for the registry's ``fetch``: half of a model comes at once, the rest when it may."""

    def __init__(self) -> None:
        self.may_end, self.fetched = threading.Event(), []

    def __call__(self, entry: Entry) -> None:
        report_download(HALF)
        while not self.may_end.wait(0.01):
            report_download(HALF)
        self.fetched.append(entry.name)


@pytest.fixture
def source(monkeypatch):
    made = Source()
    monkeypatch.setattr(model_cache, "fetch", made)
    yield made
    made.may_end.set()


def until(ready) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def started(downloads: ModelDownloads, name: str = "imagenet-1024") -> ModelDownload:
    downloads.start(name, "vqgan")
    return downloads.current()[-1]


def test_a_download_tells_its_progress_and_its_end(source):
    downloads = ModelDownloads(Policy())
    begun = started(downloads)
    until(lambda: begun.progress == HALF)
    downloads.start("imagenet-1024", "vqgan")  # again: it is the same
    assert downloads.current() == [begun]
    source.may_end.set()
    until(lambda: begun.state == "done")
    assert source.fetched == ["imagenet-1024"]


def test_a_download_is_cancelled_and_begun_anew(source):
    downloads = ModelDownloads(Policy())
    begun = started(downloads)
    downloads.cancel("imagenet-1024", "vqgan")
    until(lambda: begun.state == "cancelled")
    source.may_end.set()
    again = started(downloads)
    until(lambda: again.state == "done")
    assert downloads.current() == [again]


def test_an_ended_download_is_shown_to_those_who_began_it_and_a_running_one_to_all(source):
    downloads = ModelDownloads(Policy())
    downloads.start("imagenet-1024", "vqgan", owners={"Ada"})
    downloads.start("imagenet-1024", "vqgan", owners={"Berta", "page 2"})
    (begun,) = downloads.current()
    assert downloads.current({"Carla"}) == [begun]
    source.may_end.set()
    until(lambda: begun.state == "done")
    assert downloads.current({"Ada"}) == downloads.current({"page 2"}) == downloads.current() == [begun]
    assert downloads.current({"Carla"}) == []


def test_a_closed_studio_ends_its_downloads(open_studio, source):
    studio = open_studio()
    begun = started(studio.model_downloads)
    studio.close()
    until(lambda: begun.state == "cancelled")


@pytest.mark.parametrize(
    ("raised", "said"), [(ModelError("no answer"), "no answer"), (RuntimeError("a bug"), "unexpected error")]
)
def test_a_download_says_why_it_failed(monkeypatch, raised, said):
    def fail(_entry: Entry) -> None:
        raise raised

    monkeypatch.setattr(model_cache, "fetch", fail)
    begun = started(ModelDownloads(Policy()))
    until(lambda: begun.state == "failed")
    assert said in str(begun.error)


def test_only_two_are_downloaded_at_once(source):
    downloads = ModelDownloads(Policy())
    downloads.start("imagenet-1024", "vqgan")
    downloads.start("faceshq", "vqgan")
    with pytest.raises(ModelError, match="2 models are being downloaded: wait"):
        downloads.start("ViT-B-32/openai", "clip")


def test_strangers_cannot_fill_the_disk(source, caches):
    with pytest.raises(RecipeError, match="is not offered here"):
        ModelDownloads(Policy.for_public()).start("imagenet-1024", "vqgan")
    assert source.fetched == []


def test_what_is_not_in_the_catalogue_is_not_downloaded(source):
    with pytest.raises(ModelError, match="There is no image model"):
        ModelDownloads(Policy()).start("../../model.ckpt", "vqgan")


def test_a_model_comes_into_the_store_that_jobs_load_from(caches, monkeypatch):
    def convert(_files: store.Files) -> dict[str, torch.Tensor]:
        return {"weights": torch.zeros(4)}

    monkeypatch.setattr(model_cache, "fetch", lambda entry: store.ensure_weights(entry, convert))
    with serving(Files(bytes(1000))) as files:
        entry = Entry("lakes", "vqgan", "lakes", "own", sources=(files.url,))
        monkeypatch.setattr(model_cache, "get_entry", lambda _name, _kind: entry)
        begun = started(ModelDownloads(Policy()), "lakes")
        until(lambda: begun.state != "running")
    assert begun.error is None
    assert store.find_weights(entry) is not None
