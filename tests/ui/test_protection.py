"""What protects a page for strangers: signed sessions, headers, slow logins, bounded uploads, names of files."""

import asyncio
import json
import os
import time
from types import SimpleNamespace

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from pixgen.recipe.recipe import make_recipe
from pixgen.studio.metadata.picture_info import PictureInfo
from pixgen.studio.owners import address_of, login_owner
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.info.view import of_info
from pixgen.ui.protection import logins
from pixgen.ui.protection.headers import SecurityHeaders
from pixgen.ui.protection.logins import LoginDelay, login_of, offers_hugging_face
from pixgen.ui.protection.uploads import RequestLimits, UploadLimits, make_space
from pixgen.ui.protection.visitors import client_address, is_signed, sign_visitor
from pixgen.ui.session import BrowserSession, owner_of


async def app(scope, receive, send):
    """Answers logins by their password, and reads whatever else is sent."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    wrong = scope["path"].rstrip("/").endswith("/login") and b"secret" not in body
    await PlainTextResponse("answer", 400 if wrong else 200)(scope, receive, send)


def a_request(username=None, *, host="203.0.113.5", forwarded="", session="s"):
    return SimpleNamespace(
        username=username, session_hash=session, client=SimpleNamespace(host=host),
        headers={"x-forwarded-for": forwarded} if forwarded else {},
    )  # fmt: skip


def test_an_id_that_was_not_given_out_here_is_replaced():
    own = BrowserSession.from_browser(None, None)
    assert is_signed(own.stored["visitor"], own.stored["signature"])
    assert BrowserSession.from_browser(json.dumps(own.stored), None).owner == own.owner
    for forged in (
        {"visitor": own.stored["visitor"]},
        {"visitor": own.stored["visitor"], "signature": "0" * 43},
        {"visitor": own.stored["visitor"], "signature": None},
        {"visitor": "ada", "signature": own.stored["signature"]},
        {"visitor": own.owner, "signature": sign_visitor("x")},
    ):
        assert BrowserSession.from_browser(json.dumps(forged), None).owner != own.owner


def test_nobody_has_a_logins_pictures_by_being_called_as_it_is():
    signed = json.dumps({"visitor": "ada", "signature": sign_visitor("ada")})
    owners = {
        BrowserSession.from_browser(signed, login_owner("ada")).owner, BrowserSession.from_browser(signed, None).owner,
        owner_of(a_request(session="ada")),
    }  # fmt: skip
    assert len(owners) == 3
    assert owner_of(a_request("ada")) == BrowserSession.from_browser("", login_owner("ada")).owner


A_SPACE = {
    "SYSTEM": "spaces",
    "SPACE_ID": "ada/pixgen",
    "OAUTH_CLIENT_ID": "pixgen",
    "OAUTH_CLIENT_SECRET": "secret",
}


@pytest.mark.parametrize("missing", A_SPACE)
def test_hugging_faces_login_is_offered_where_it_is_real_alone(missing, monkeypatch):
    for name, value in A_SPACE.items():
        monkeypatch.setenv(name, value)
    assert offers_hugging_face()
    monkeypatch.setenv(missing, "")
    assert not offers_hugging_face()
    monkeypatch.delenv(missing)
    assert not offers_hugging_face()


def test_an_account_of_hugging_face_is_an_owner_of_its_own(monkeypatch):
    def signed_in(name, *, expires_at):
        account = {"userinfo": {"preferred_username": name}, "expires_at": expires_at}
        request = SimpleNamespace(scope={"session": {"oauth_info": account}})
        return SimpleNamespace(**vars(a_request()), request=request)

    later, before = time.time() + 60, time.time() - 60
    assert login_of(signed_in("ada", expires_at=later)) is None  # no Space offers it
    for name, value in A_SPACE.items():
        monkeypatch.setenv(name, value)
    ada = owner_of(signed_in("ada", expires_at=later))
    assert BrowserSession.from_request("", signed_in("ada", expires_at=later)).owner == ada
    assert address_of(ada) == ""
    assert ada not in {owner_of(a_request("ada")), owner_of(a_request(ada))}
    assert login_of(signed_in("ada", expires_at=before)) is None
    assert login_of(SimpleNamespace(**vars(a_request()), request=SimpleNamespace(scope={}))) is None


def test_those_who_have_logged_in_are_not_counted_by_their_address():
    page = BrowserSession.from_browser("", login_owner("ada"), address="203.0.113.5")
    assert address_of(page.owner) == address_of(owner_of(a_request("ada"))) == ""
    anonymous = BrowserSession.from_browser("", None, address="203.0.113.5")
    assert address_of(anonymous.owner) == address_of(owner_of(a_request())) == "203.0.113.5"


def test_a_programs_runs_belong_to_its_address_too():
    assert owner_of(a_request(session="a")) != owner_of(a_request(session="a", host="203.0.113.6"))


@pytest.mark.parametrize(
    ("host", "forwarded", "address"),
    [
        ("203.0.113.5", "", "203.0.113.5"),
        ("8.8.8.8", "9.9.9.9", "8.8.8.8"),  # nobody may claim another address
        ("10.0.0.2", "1.1.1.1, 8.8.4.4, 10.0.0.7", "8.8.4.4"),  # behind proxies
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "no address", "no address"),
    ],
)
def test_the_address_is_the_one_that_the_last_proxy_saw(host, forwarded, address):
    assert client_address(a_request(host=host, forwarded=forwarded)) == address


@pytest.mark.parametrize("in_space", [False, True])
def test_every_answer_has_the_headers(monkeypatch, in_space):
    monkeypatch.setenv("SPACE_ID", "a/b") if in_space else monkeypatch.delenv("SPACE_ID", raising=False)
    headers = TestClient(SecurityHeaders(app)).get("/anything").headers
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "object-src 'none'" in policy
    assert ("https://huggingface.co" in policy) == in_space
    assert ("x-frame-options" in headers) != in_space


@pytest.mark.parametrize("path", ["/login", "/login/"])
def test_wrong_logins_are_delayed_and_then_refused(monkeypatch, path):
    delays: list[float] = []

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    monkeypatch.setattr(logins.asyncio, "sleep", sleep)
    client = TestClient(LoginDelay(app))
    answers = [client.post(path, content=b"wrong").status_code for _ in range(25)]
    assert answers == [400] * 20 + [429] * 5
    assert delays[:3] == [0.5, 1.0, 2.0]
    assert max(delays) == 8.0
    assert client.post("/other").status_code == 200


def test_logins_at_the_same_time_are_counted_like_those_one_after_the_other(monkeypatch):
    delays: list[float] = []
    pause = asyncio.sleep

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    async def slow_app(scope, receive, send):
        await pause(0.05)
        await app(scope, receive, send)

    async def answers() -> list[int]:
        transport = httpx.ASGITransport(LoginDelay(slow_app))
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            tries = [client.post("/login", content=b"wrong") for _ in range(25)]
            return [answer.status_code for answer in await asyncio.gather(*tries)]

    monkeypatch.setattr(logins.asyncio, "sleep", sleep)
    assert asyncio.run(answers()) == [400] * 20 + [429] * 5
    assert delays[:3] == [0.5, 1.0, 2.0]


def test_a_right_login_forgets_the_wrong_ones():
    client = TestClient(LoginDelay(app))
    for _ in range(3):
        client.post("/login", content=b"wrong")
        assert client.post("/login", content=b"secret").status_code == 200


def old(path, *, size: int, hours: float):
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - 3600 * hours,) * 2)


def test_space_is_made_by_the_files_that_were_used_the_longest_ago(tmp_path):
    (tmp_path / "inner").mkdir()
    for number in range(5):
        old(tmp_path / f"{'inner/' if number % 2 else ''}{number}", size=1000, hours=10 - number)
    old(tmp_path / "on a screen", size=1000, hours=0)
    assert make_space(tmp_path, 4000)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "2",
        "3",
        "4",
        "on a screen",
    ]
    assert not make_space(tmp_path, 500)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["on a screen"]


def test_uploads_are_bounded_by_request_address_and_space(tmp_path):
    def client(**limits):
        return TestClient(UploadLimits(app, folder=tmp_path, **limits))

    assert client().post("/gradio_api/upload", content=b"x").status_code == 200
    huge = client().post("/gradio_api/upload", content=b"x", headers={"content-length": str(2**40)})
    assert (huge.status_code, huge.json()["detail"][:17]) == (413, "Too much at once:")
    bounded = client(most_of_address=1000)
    assert [bounded.post("/upload", content=bytes(400)).status_code for _ in range(4)] == [200, 200, 413, 413]
    assert bounded.post("/other", content=bytes(4000)).status_code == 200
    old(tmp_path / "a", size=4000, hours=0)
    full = client(most=2000).post("/upload", content=b"x")
    assert (full.status_code, full.json()["detail"][:23]) == (413, "The server has no space")


def test_picture_info_does_not_say_which_paths_exist(tmp_path):
    (tmp_path / "there.png").write_bytes(b"")
    texts = []
    for name in ("there.png", "gone.png"):
        recipe = make_recipe({"prompts": f"a fox | [{tmp_path / name}]"})
        shown = of_info(ENGLISH, PictureInfo(program="pixgen", recipe=recipe), tmp_path / "a.json")
        texts.append(shown.replace(name, "NAME"))
    assert texts[0] == texts[1]
    assert "which is not in the file" in texts[0]


def test_the_delay_of_one_login_does_not_hold_others(monkeypatch):
    """Delays are waited for without a thread, and only so many at once."""
    middleware = LoginDelay(app)
    middleware._waiting = 50
    assert TestClient(middleware).post("/login", content=b"secret").status_code == 429
    assert asyncio.iscoroutinefunction(middleware.__call__)


def test_an_address_has_a_bounded_number_of_requests_at_once():
    refused, gate = [], asyncio.Event()

    async def wait(scope, receive, send):
        await gate.wait()
        await PlainTextResponse("ok")(scope, receive, send)

    async def crowd():
        limits = RequestLimits(wait, most=3, refuse=refused.append)

        async def get(address):
            transport = httpx.ASGITransport(limits, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
                return (await client.get("/")).status_code

        many = [asyncio.create_task(get("203.0.113.5")) for _ in range(5)]
        other = asyncio.create_task(get("203.0.113.6"))
        await asyncio.sleep(0.05)
        gate.set()
        answers = sorted(await asyncio.gather(*many)), await other, await get("203.0.113.5")
        assert not limits._open
        return answers

    assert asyncio.run(crowd()) == ([200, 200, 200, 429, 429], 200, 200)
    assert refused == ["requests"] * 2


def test_a_body_that_stops_coming_ends_the_request():
    async def upload(method):
        parts = [{"type": "http.request", "body": b"x", "more_body": True}]

        async def receive():
            if parts:
                return parts.pop()
            await asyncio.sleep(0.3)
            return {"type": "http.request", "body": b"", "more_body": False}

        read = []

        async def read_all(scope, receive, send):
            read.extend([(await receive())["type"] for _ in range(2)])

        scope = {"type": "http", "method": method, "client": ("203.0.113.5", 1), "headers": []}
        await RequestLimits(read_all, silence=0.05)(scope, receive, None)
        return read

    assert asyncio.run(upload("POST")) == ["http.request", "http.disconnect"]
    assert asyncio.run(upload("GET")) == ["http.request", "http.request"]  # a stream's reader is waited for
