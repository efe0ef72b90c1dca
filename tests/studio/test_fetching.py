"""A job tells how far its model's download is, and can be stopped meanwhile."""

import threading
import time

import pytest

from pixgen.models.progress import DownloadProgress, report_download
from tests.studio.fakes import Painters, a_recipe

HALF = DownloadProgress("lakes", 30, 60)


class Fetcher(Painters):
    """Its model comes in two halves; the second when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def __call__(self, *how):
        report_download(HALF)
        while not self.may_go_on.wait(0.01):
            report_download(HALF)
        report_download(DownloadProgress("lakes", 60, 60))
        return super().__call__(*how)


@pytest.fixture
def fetcher():
    made = Fetcher()
    yield made
    made.may_go_on.set()


def glimpse_of_download(job):
    deadline = time.monotonic() + 10
    while job.status().fetching is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return job.status()


def test_a_download_is_seen_until_it_is_over(open_studio, fetcher):
    job = open_studio(fetcher).submit(a_recipe())
    seen = glimpse_of_download(job)
    assert (seen.state, seen.fetching, seen.frame) == ("loading", HALF, None)
    fetcher.may_go_on.set()
    assert job.wait(10)
    assert job.state == "done"
    assert job.status().fetching is None


def test_a_download_can_be_stopped(open_studio, fetcher):
    studio = open_studio(fetcher)
    job = studio.submit(a_recipe())
    glimpse_of_download(job)
    job.stop()
    assert job.wait(10)
    assert (job.state, job.error) == ("stopped", None)
    assert fetcher.made == []
    assert studio.run(job.id).state == "stopped"
