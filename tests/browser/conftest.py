"""A real page, served by app.py over the pocket models, and real browsers that visit it."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

LEAVING = (
    "AbortError",
    "Connection errored out",
    # On a busy machine gradio notices late that one stream of a page has closed, and forgets the page's next one.
    "Unexpected error 404: Not Found",
    "network error",
)  # what gradio says of a stream that a reload cuts


@dataclass(frozen=True)
class Server:
    """A running app.py: where it listens, where it keeps its runs, and what it has printed."""

    url: str
    runs: Path
    log: Path


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """One server for all tests, as on one's own machine: no limit of a public page holds a test up."""
    home = tmp_path_factory.mktemp("page")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Server(f"http://127.0.0.1:{port}", home / "runs", home / "log.txt")
    command = [
        sys.executable,
        "app.py",
        "--port",
        str(port),
        "--device",
        "cpu",
        "--output-dir",
        str(made.runs),
    ]
    with made.log.open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "GRADIO_TEMP_DIR": str(home / "cache"),
                "HF_ENDPOINT": "http://127.0.0.1:9",  # the port where nothing listens
                "HF_HOME": str(home / "hub"),
                "PIXGEN_CACHE": str(home / "models"),
                "PYTHONUNBUFFERED": "1",
            },
        )
    try:
        _wait_until_open(made, process)
        yield made
    finally:
        process.terminate()
        process.wait(30)
    assert not _unexpected(made.log.read_text())


def _unexpected(log: str) -> list[str]:
    """The parts of a server's log with a traceback, without those of gradio's streams of a page that was reloaded."""
    parts = log.split("Exception in ASGI application")
    of_streams = ("in sse_stream", "404: Not Found")
    return [
        part
        for part in parts
        if part.count("Traceback") > (2 if all(words in part for words in of_streams) else 0)
    ]


def _wait_until_open(server: Server, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 300  # on a busy machine, loading gradio and torch takes minutes
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(server.url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"app.py did not open its page:\n{server.log.read_text()}")


@pytest.fixture(scope="package")  # no longer: Playwright keeps an event loop in this thread
def chromium() -> Iterator["Browser"]:
    """Debian's Chromium, or the one that Playwright brings."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"there is no Chromium here: {error}")
        yield browser
        browser.close()


@pytest.fixture
def visit(server, chromium) -> Iterator[Callable[..., "Page"]]:
    """Opens the page as a new person; at the end, nothing has gone wrong in any browser, and none
    has asked another server for anything."""
    contexts, wrong = [], []

    def open_page(
        *, width: int = 1280, height: int = 860, scheme: str = "light", locale: str = "en-US"
    ) -> "Page":
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale
        )
        contexts.append(context)
        context.set_default_timeout(90_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("console", lambda said: complain(said.text) if said.type == "error" else None)
        page.on("request", lambda asked: wrong.append(asked.url) if is_elsewhere(asked.url) else None)
        enter(page, server.url)
        return page

    def complain(text: str) -> None:
        if not any(part in text for part in LEAVING):
            wrong.append(text)

    def is_elsewhere(url: str) -> bool:
        return not url.startswith((server.url, "data:", "blob:"))

    yield open_page
    for context in contexts:
        for page in context.pages:
            if page.locator("#pg-stop").is_enabled():
                page.keyboard.press("Escape")
                page.locator("#pg-stop:disabled").wait_for()
        context.close()
    assert wrong == []


def enter(page: "Page", url: str) -> None:
    """Go to the page and wait until all its scripts have run."""
    page.goto(url)
    page.locator("html[data-ready]").wait_for()


def open_tab(page: "Page", name: str) -> None:
    """Go to a tab; where there is little room, it is behind the button for more of them."""
    tab = page.get_by_role("tab", name=name)
    more = page.get_by_role("button", name="More tabs")
    tab.or_(more).first.wait_for()
    if tab.count():
        tab.click()
    else:
        more.click()
        page.locator(".overflow-dropdown").get_by_text(name, exact=True).click()
    settle(page)


def unfold(page: "Page", title: str) -> None:
    """Open the fold with this title on the tab that is seen, and the folds around it."""
    page.locator("[data-unfold]", has_text=title).first.wait_for(state="attached")
    page.evaluate(
        """(title) => {
            const titles = [...document.querySelectorAll("[data-unfold]")];
            const found = titles.find((each) => each.textContent === title && each.closest(".tabitem").checkVisibility());
            for (let fold = found.closest(".pg-folded"); fold; fold = fold.parentElement.closest(".pg-folded"))
                if (!fold.hasAttribute("data-open")) fold.querySelector("[data-unfold]").click();
        }""",
        title,
    )


def settle(page: "Page") -> None:
    """Wait until gradio has built a tab that was opened for the first time: a frame after its controls have
    come, it gives them their first values again."""
    page.evaluate(
        "async () => { for (let frame = 0; frame < 5; frame++) await new Promise(requestAnimationFrame) }"
    )


class Relay:
    """Passes connections on to a server; can cut them for a moment, as a lost network does, or let them stay open
    and deliver nothing, as a proxy that stalls."""

    def __init__(self, url: str) -> None:
        self._server = ("127.0.0.1", int(url.rpartition(":")[2]))
        self._open, self._frozen, self._sockets = True, False, list[socket.socket]()
        self._stalled: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Relay":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_how: object) -> None:
        self._open = False  # for who connects at this moment
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self._close()

    def cut(self, seconds: float = 2.0) -> None:
        """Cut every connection, and let no new one through for some time."""
        self._open = False
        self._close()
        time.sleep(seconds)
        self._open = True

    def freeze(self, seconds: float) -> None:
        """Let every connection that is open deliver nothing any more, and for some time every new one neither."""
        self._frozen = True
        self._stalled.update(self._sockets)
        time.sleep(seconds)
        self._frozen = False

    def _close(self) -> None:
        while self._sockets:
            each = self._sockets.pop()
            with suppress(OSError):  # the other side has closed it
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed at the end
            while True:
                browser, _address = self._listener.accept()
                if not self._open:
                    browser.close()
                    continue
                if self._frozen:
                    self._sockets.append(browser)
                    continue
                server = socket.create_connection(self._server)
                self._sockets += [browser, server]
                for ends in ((browser, server), (server, browser)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):  # it was cut
            while data := source.recv(1 << 16):
                if source in self._stalled:
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
