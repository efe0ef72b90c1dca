"""``/health`` and ``/metrics``."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from pixgen import __version__
from pixgen.errors import PixgenError
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Policy
from pixgen.ui.monitoring import TOKEN, Monitoring, StudioMetrics


async def page(scope, receive, send):
    """Answers whatever is asked."""
    await PlainTextResponse("the page")(scope, receive, send)


def client_of(studio, *, public=False, **options):
    app = Monitoring(page, studio=studio, metrics=StudioMetrics(studio), public=public)
    return TestClient(app, **options)


def a_recipe(**fields):
    return make_recipe({"prompts": "a secret fox", "width": 32, "height": 32, "steps": 3}, fields)


def figures(client, **options):
    answer = client.get("/metrics", **options)
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_health_says_that_the_page_is_ready_and_how_busy_it_is(make_studio):
    studio = make_studio(seconds=0.05)
    jobs = [studio.submit(a_recipe(steps=500)) for _ in range(3)]
    next(status for status in jobs[0].watch() if status.state == "painting")
    client = client_of(studio)
    answer = client.get("/health")
    assert answer.json() == {
        "status": "ready", "version": __version__, "device": "cpu", "painting": 1, "waiting": 2,
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"
    assert client.head("/health").status_code == 200
    shown = figures(client)
    assert (shown["pixgen_jobs", "painting"], shown["pixgen_jobs", "waiting"]) == (1, 2)
    assert shown["pixgen_queue_length",] == 2


def test_behind_a_proxy_both_are_under_the_root_path(studio):
    client = client_of(studio, root_path="/pixgen")
    assert client.get("/pixgen/health").json()["status"] == "ready"
    assert ("pixgen_queue_length",) in {
        sample[:1]
        for sample in figures(
            TestClient(client.app, root_path="/pixgen", base_url="http://testserver/pixgen")
        )
    }


def test_everything_else_is_the_page(studio):
    client = client_of(studio)
    assert client.head("/").status_code == 200
    assert client.get("/").text == client.post("/health").text == client.get("/healthy").text == "the page"


def test_metrics_count_jobs_steps_and_refusals_and_name_no_prompt(make_studio):
    policy = Policy(largest_side=64, jobs_per_owner=1)
    studio = make_studio(policy=policy, seconds=0.01)
    client = client_of(studio)
    first = studio.submit(a_recipe(steps=8), owner="ada")
    with pytest.raises(PixgenError, match="the limit is 1"):
        studio.submit(a_recipe(), owner="ada")
    with pytest.raises(PixgenError, match="at most 64 pixels"):
        studio.submit(a_recipe(width=128), owner="bob")
    assert first.wait(20)
    studio.close(10)  # what follows a job's end has been called
    shown = figures(client)
    assert shown["pixgen_jobs_ended_total", "done"] == 1
    assert shown["pixgen_step_seconds_count",] == 1
    assert 0.005 < shown["pixgen_step_seconds_sum",] < 1
    assert shown["pixgen_refusals_total", "owner"] == shown["pixgen_refusals_total", "recipe"] == 1
    assert shown["process_resident_memory_bytes",] > 1e6
    assert shown["pixgen_device_free_bytes",] > 1e6
    text = client.get("/metrics").text
    assert not any(word in text for word in ("fox", "ada", first.id))


def test_a_public_page_has_metrics_for_those_who_have_the_token_alone(studio, monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    hidden = client_of(studio, public=True)
    assert (hidden.get("/metrics").status_code, hidden.get("/health").status_code) == (404, 200)
    monkeypatch.setenv(TOKEN, "s3cret")
    client = client_of(studio, public=True)
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert ("pixgen_queue_length",) in figures(client, headers={"authorization": "Bearer s3cret"})
