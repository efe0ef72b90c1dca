"""``bench load``: what its figures say about what people saw. The bench itself starts a server."""

import gc
import json

import pytest

from pixgen.bench.load import Outcome, Seen, _Page, _parse, figures, text
from pixgen.studio import Policy
from pixgen.ui.page import build
from tests.ui.fakes import waves_studio


def line(run, *, at, waited, seconds=1.0):
    return {"run": run, "at": at, "waited": waited, "seconds": seconds, "state": "done"}


def joined(run, wait):
    return {"run": run, "at": 0.0, "estimated_wait": wait}


def test_fair_turns_and_right_estimates():
    seen = Seen(outcomes=[Outcome(0, "done", "a"), Outcome(1, "done", "b"), Outcome(0, "stopped", "c")])
    seen.stops, seen.prompts = [0.1, 0.3], [0.01] * 20
    seen.memory = [(0, 9e8, 20, 30), (20, 1e9, 25, 40), (40, 1.05e9, 22, 35)]
    log = [
        joined("a", 2.0), joined("b", 2.0), joined("c", 30.0),
        line("a", at=103.0, waited=2.0), line("b", at=104.0, waited=2.0), line("c", at=105.0, waited=2.0),
    ]  # fmt: skip
    found = figures(seen, log)
    assert found["ended"] == {"done": 2, "stopped": 1, "failed": 0}
    assert found["without_own_picture_or_sentence"] == 0
    assert found["fairness_of_waits"] == 1.0
    assert found["most_turns_of_another_while_one_waits"] == 1
    assert (found["estimated_waits"], found["estimated_within_30_percent"]) == (3, 0.667)
    assert found["memory_growth_percent"] == 5.0
    assert found["megabytes_after_20_and_40_jobs"] == [1000, 1050]
    assert (found["stop_answered_seconds"]["most"], found["prompt_help_seconds"]["p95"]) == (0.3, 0.01)
    assert "memory growth percent" in text(found)
    json.dumps(found)


def test_one_who_waits_while_another_has_all_turns_is_seen():
    seen = Seen(outcomes=[Outcome(0, "done", "a"), *(Outcome(1, "done", f"b{n}") for n in range(5))])
    log = [line("a", at=110.0, waited=9.0), *(line(f"b{n}", at=102.0 + n, waited=0.1) for n in range(5))]
    found = figures(seen, log)
    assert found["most_turns_of_another_while_one_waits"] == 5
    assert found["fairness_of_waits"] < 0.6


def test_what_is_wrong_is_counted():
    found = figures(Seen(outcomes=[Outcome(0, "done", "a", "it has no picture"), Outcome(1, "failed")]), [])
    assert (found["problems"], found["without_own_picture_or_sentence"]) == (["it has no picture"], 1)
    assert (found["estimated_within_30_percent"], found["stop_answered_seconds"]) == (None, {})


@pytest.mark.parametrize("given", ["", "no JSON", "[]", "3", '{"a": 1}'])
def test_lines_that_are_not_the_logs_are_left_out(given):
    assert _parse(given) == {}


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # gradio's own event loops
def test_the_page_has_the_events_that_people_trigger(tmp_path):
    with waves_studio(tmp_path, policy=Policy.for_public()) as studio:
        found = _Page(build(studio).get_config_file())
    gc.collect()  # the loops, which a later test would be blamed for
    values = found.values(found.generate, prompt="a fox", size="32x32", steps=4)
    assert {"a fox", "32x32", 4} <= {value for value in values if isinstance(value, str | int)}
    assert found.help["queue"] is found.stop["queue"] is False
