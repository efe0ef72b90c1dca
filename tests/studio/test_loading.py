"""Loading what is fetched first: its progress is told, errors arrive, and whoever leaves ends it."""

import threading

import pytest

from pixgen.errors import ModelError
from pixgen.models.progress import DownloadProgress, report_download
from pixgen.studio.jobs import StopRequested
from pixgen.studio.model_cache import load_in_background

HALF = DownloadProgress("lakes", 30, 60)


class Loader:
    """Tells of a half until it may go on, then of the whole; keeps what ended it."""

    def __init__(self) -> None:
        self.may_go_on, self.ended, self.error = threading.Event(), threading.Event(), None

    def __call__(self) -> None:
        try:
            report_download(HALF)
            while not self.may_go_on.wait(0.01):
                report_download(HALF)
            report_download(DownloadProgress("lakes", 60, 60))
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.ended.set()


@pytest.fixture
def loader():
    made = Loader()
    yield made
    made.may_go_on.set()
    assert made.ended.wait(10)


def test_it_tells_until_all_is_loaded(loader):
    loading = load_in_background(loader)
    assert next(told for told in loading if told is not None) == HALF
    loader.may_go_on.set()
    assert all(told in (HALF, None) for told in loading)
    assert loader.error is None


def test_who_stops_ends_the_download(loader):
    asked = iter([False, False, True])
    assert len(list(load_in_background(loader, stopped=lambda: next(asked)))) == 2
    assert loader.ended.wait(10)
    assert isinstance(loader.error, StopRequested)


def test_who_leaves_ends_the_download(loader):
    loading = load_in_background(loader)
    next(loading)
    loading.close()
    assert loader.ended.wait(10)
    assert isinstance(loader.error, StopRequested)


def test_what_is_there_is_loaded_in_silence():
    assert [told for told in load_in_background(lambda: None) if told is not None] == []


def test_what_goes_wrong_is_raised_to_who_waits():
    def fail() -> None:
        raise ModelError("There is no network: put the file here.")

    with pytest.raises(ModelError, match="There is no network"):
        list(load_in_background(fail))
