"""What the page's tests share: a studio that paints waves, and someone who looks."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from pixgen.studio import Studio
from pixgen.ui.session import BrowserSession
from tests.ui.fakes import waves_studio


@pytest.fixture(autouse=True)
def event_loops(monkeypatch):
    """Close the event loops that gradio opens for a page where none is running."""
    opened, make = [], asyncio.new_event_loop

    def remember():
        opened.append(make())
        return opened[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", remember)
    yield
    for loop in opened:
        if not loop.is_running():
            loop.close()


@pytest.fixture
def make_studio(tmp_path) -> Iterator[Callable[..., Studio]]:
    """Makes studios over a folder of the test's own, and closes them."""
    made = []

    def make(**kind) -> Studio:
        made.append(waves_studio(tmp_path / "runs", **kind))
        return made[-1]

    yield make
    for studio in made:
        studio.close(timeout=10)


@pytest.fixture
def studio(make_studio) -> Studio:
    """A studio that paints at once."""
    return make_studio()


@pytest.fixture
def visitor() -> BrowserSession:
    """Somebody who has just come."""
    return BrowserSession.from_browser(None, None)
