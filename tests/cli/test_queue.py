"""The queue of a running page on the command line."""

import gc
import json

import pytest

from pixgen.bench.gallery import serve_page
from pixgen.cli.app import main
from pixgen.studio import Policy, Studio
from tests.studio.fakes import Painters, a_recipe

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _sockets_gone():
    """What a client's loop leaves open is collected here, and not in the middle of another test."""
    yield
    gc.collect()


@pytest.fixture
def held(request, tmp_path):
    """A studio, with its page's address, whose first of three runs holds before its step 3."""
    painters = Painters(hold_at=3)
    with (
        Studio(tmp_path, device="cpu", painter=painters, policy=request.param) as studio,
        serve_page(studio) as url,
    ):
        jobs = [studio.submit(a_recipe(seed=seed), owner=f"ada{seed // 2}") for seed in range(3)]
        assert painters.held.wait(20)
        yield studio, jobs, url
        painters.go_on.set()


def asked(capsys, *arguments):
    assert main(["queue", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("held", [Policy()], indirect=True)
def test_runs_are_listed_moved_paused_resumed_and_cancelled(held, capsys):
    studio, (first, second, third), url = held
    third_is_adas = studio.submit(a_recipe(seed=3), owner="ada0")
    listed = asked(capsys, "list", "--url", url)
    assert [place["run"] for place in listed] == [first.id, second.id, third.id, third_is_adas.id]
    assert [place["before"] for place in listed] == [0, 1, 2, 3]
    assert (listed[0]["state"], listed[0]["step"], listed[0]["steps"]) == ("painting", 2, 12)
    assert (listed[1]["state"], listed[1]["prompt"]) == ("waiting", "a red fox")
    asked(capsys, "up", third_is_adas.id, "--url", url)
    assert (second.position, third_is_adas.position) == (3, 1)
    asked(capsys, "down", third_is_adas.id, "--url", url)
    assert (second.position, third_is_adas.position) == (1, 3)
    paused = asked(capsys, "pause", second.id, "--url", url)
    assert {place["run"]: place["state"] for place in paused}[second.id] == "paused"
    asked(capsys, "resume", second.id, "--url", url)
    assert not second.paused
    asked(capsys, "cancel", third.id, "--url", url)
    assert third.wait(20)
    assert third.state == "stopped"
    assert main(["queue", "--url", url]) == 0
    printed = capsys.readouterr().out
    assert second.id in printed
    assert third.id not in printed
    assert main(["queue", "cancel", "20260101-000000-abcdef", "--url", url]) == 2
    assert "is not in the queue" in capsys.readouterr().err


@pytest.mark.parametrize("held", [Policy.for_public()], indirect=True)
def test_a_public_pages_queue_is_nobodys_who_has_not_logged_in(held, capsys):
    studio, (first, *_), url = held
    assert asked(capsys, "list", "--url", url) == []
    assert main(["queue", "cancel", first.id, "--url", url]) == 2
    assert "is not in the queue" in capsys.readouterr().err
    assert not first.stopping


def test_without_a_page_one_sentence_says_what_to_do(capsys):
    assert main(["queue", "--url", "http://127.0.0.1:9"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "No page of pixgen answers" in said
