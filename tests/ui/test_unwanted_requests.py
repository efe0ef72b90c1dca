"""What gradio's server would do for a stranger, and this page does not: fetch addresses, run ffmpeg, quote in its log."""

import asyncio
import base64
import json
import logging
import zlib

import gradio as gr
import pytest
from gradio import processing_utils
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.testclient import TestClient

from pixgen.studio import Policy
from pixgen.ui.page import build
from pixgen.ui.protection.headers import EndpointGuard, SecurityHeaders
from tests.ui.test_hostile_values import send

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",  # gradio's own event loops
)
SECRET = "my secret prompt"
AWAY = {"path": "https://pictures.example/a.png", "meta": {"_type": "gradio.FileData"}}


@pytest.fixture
def public_page(make_studio):
    return build(make_studio(policy=Policy.for_public(), loading=0.0))


@pytest.fixture
def fetched(monkeypatch):
    """The addresses that gradio would have fetched."""
    addresses = []

    async def fetch(url, cache_dir):
        addresses.append(url)
        raise ValueError(url)

    monkeypatch.setattr(processing_utils, "async_ssrf_protected_download", fetch)
    return addresses


def endpoint(page: gr.Blocks, name: str):
    return next(each for each in page.fns.values() if each.api_name == name)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("classify", [[AWAY], "a, b", "", "", False, False, -1, 5, "x"]),
        ("generate", [AWAY, "draft", "", 0, ""]),
        ("generate", [{"a": [{"b": AWAY}]}, "draft", "", 0, ""]),
    ],
)
def test_a_public_page_fetches_no_address_that_is_sent_as_a_file(public_page, fetched, name, inputs):
    with pytest.raises(gr.Error, match="fetches no address"):
        asyncio.run(send(public_page, endpoint(public_page, name), inputs, {}))
    assert not fetched


def test_at_home_programs_may_send_an_address(make_studio, fetched):
    page = build(make_studio())
    with pytest.raises(gr.Error):
        asyncio.run(
            send(page, endpoint(page, "classify"), [[AWAY], "a", "", "", False, False, -1, 5, "x"], {})
        )
    assert fetched == [AWAY["path"]]


@pytest.mark.parametrize(
    "inputs",
    [
        [SECRET],
        [SECRET, SECRET, "", 0, ""],
        ["a fox", "draft", "", {SECRET: 1}, ""],
        ["a\nfox", SECRET, "", "", 0],
    ],
)
def test_what_is_refused_is_neither_printed_nor_quoted_in_the_log(public_page, inputs, caplog, capfd):
    caplog.set_level(logging.WARNING)
    with pytest.raises(gr.Error) as refused:
        asyncio.run(send(public_page, endpoint(public_page, "generate"), inputs, {}))
    assert not refused.value.print_exception
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())


def test_an_error_of_a_handler_is_logged_here_and_not_by_gradio(public_page, monkeypatch, caplog):
    def fail(*given):
        raise ZeroDivisionError(SECRET)

    queue = endpoint(public_page, "queue")
    monkeypatch.setattr(queue, "fn", fail)
    with pytest.raises(gr.Error, match="logged as") as failed:
        asyncio.run(send(public_page, queue, ["", ""], {}))
    assert not failed.value.print_exception
    assert SECRET not in failed.value.message
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_link_puts_no_html_on_the_page_by_its_error(public_page):
    recipe = {"prompts": "a fox", '<div style="position:fixed;inset:0">': 1}
    link = base64.urlsafe_b64encode(zlib.compress(json.dumps(recipe).encode())).decode().rstrip("=")
    follow = next(each for each in public_page.fns.values() if each.name == "follow")
    with pytest.raises(gr.Error) as failed:
        asyncio.run(send(public_page, follow, ["", f"recipe={link}"], {}))
    assert "&lt;div" in failed.value.message
    assert "<" not in failed.value.message


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=https://pictures.example/a.png",
        "/gradio_api/file/http://pictures.example/a.png",
        "/gradio_api/file=https%3A//pictures.example/a.png",
        "/gradio_api/proxy=https://a.hf.space/x",
        "/gradio_api/process_recording",
        "/gradio_api/component_server/",
        "/gradio_api/deep_link?session_hash=a",
        "/gradio_api/dev/reload",
        "/pwa_icon/99999",
        "/behind/a/proxy/gradio_api/process_recording",
    ],
)
def test_endpoints_of_gradios_that_the_page_has_no_use_for(path):
    client = TestClient(EndpointGuard(PlainTextResponse("ok"), public=True))
    assert client.post(path).status_code == 404
    client = TestClient(EndpointGuard(PlainTextResponse("ok"), public=False))
    assert client.post(path).text == "ok"


@pytest.mark.parametrize(
    "path", ["/", "/tr", "/pwa_icon", "/gradio_api/upload", "/gradio_api/file=/tmp/gradio/a.png", "/config"]
)
def test_a_public_page_has_the_others(path):
    client = TestClient(EndpointGuard(PlainTextResponse("ok"), public=True))
    assert client.post(path).text == "ok"


def test_a_request_that_fails_is_answered_with_the_headers_and_logged_once(caplog):
    async def fail(scope, receive, send):
        raise ValueError(SECRET)

    answer = TestClient(SecurityHeaders(EndpointGuard(fail, public=True))).get("/")
    assert answer.status_code == 500
    assert SECRET not in answer.text
    assert "content-security-policy" in answer.headers
    assert [record.getMessage() for record in caplog.records] == ["a request failed"]


def test_a_cache_keeps_no_page_for_others():
    # A page names the host that its request gave, which is anything that a stranger's proxy header says.
    for answer, kept in (
        (HTMLResponse("<p>"), "private, no-cache"),
        (HTMLResponse("<p>", headers={"cache-control": "max-age=5"}), "max-age=5"),
        (PlainTextResponse("x"), None),
    ):
        assert TestClient(SecurityHeaders(answer)).get("/").headers.get("cache-control") == kept
