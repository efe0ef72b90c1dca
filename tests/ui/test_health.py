"""``/health``."""

from types import SimpleNamespace

from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from pixgen import __version__
from pixgen.ui.health import Health


async def page(scope, receive, send):
    """Answers whatever is asked."""
    await PlainTextResponse("the page")(scope, receive, send)


def a_studio(*states):
    entries = [SimpleNamespace(job=SimpleNamespace(state=state)) for state in states]
    return SimpleNamespace(device="cpu", queue=lambda: entries)


def test_it_says_that_the_page_is_ready_and_how_busy_it_is():
    client = TestClient(Health(page, a_studio("running", "waiting", "waiting")))
    answer = client.get("/health")
    assert answer.json() == {
        "status": "ready", "version": __version__, "device": "cpu", "painting": 1, "waiting": 2,
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"
    assert client.head("/health").status_code == 200


def test_behind_a_proxy_it_is_under_the_root_path():
    client = TestClient(Health(page, a_studio()), root_path="/pixgen")
    assert client.get("/pixgen/health").json()["status"] == "ready"


def test_everything_else_is_the_page():
    client = TestClient(Health(page, a_studio()))
    assert client.get("/").text == client.post("/health").text == client.get("/healthy").text == "the page"
