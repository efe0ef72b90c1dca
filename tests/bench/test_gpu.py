"""The table of what is measured on a GPU: within its time, written as it comes, with reasons where a figure is missing."""

import json
import subprocess
import sys

from pixgen.bench.gpu import FULL_PRESETS, Measurement, as_markdown, measure, measurements, write_table

SPEED = {"step_ms": 12.34, "steps_a_second": 81.0, "multiplied_in": "TF32"}


def answering(command, *, timeout, **_):
    if "slow" in command:
        raise subprocess.TimeoutExpired(command, timeout)
    if "broken" in command:
        return subprocess.CompletedProcess(command, 1, "", "a trace\nno memory")
    said = "9 passed in 3 s" if "pytest" in command else json.dumps(SPEED)
    return subprocess.CompletedProcess(command, 0, f"a word before\n{said}\n", "")


def test_each_figure_comes_from_a_command_and_a_failure_says_why(tmp_path):
    wanted = [
        Measurement("a step", ("bench", "speed")),
        Measurement("tests", ("-m", "gpu"), tests=True),
        Measurement("slow", ("slow",)),
        Measurement("broken", ("broken",)),
    ]
    reported = []
    results = measure(wanted, minutes=1, run=answering, report=reported.append)
    assert reported == results
    table = as_markdown(results, device="a GPU")
    assert "| a step | 12.3 ms a step, 81.0 steps/s, TF32 | `python -m pixgen bench speed` |" in table
    assert "9 passed" in table
    assert "took longer than" in table
    assert "| broken | no memory |" in table
    write_table(results, tmp_path / "gpu.md", device="a GPU")
    stored = json.loads((tmp_path / "gpu.json").read_text("utf-8"))
    assert stored["results"][0]["figures"] == SPEED
    assert (tmp_path / "gpu.md").read_text("utf-8") == table


def test_what_there_is_no_time_for_says_so():
    (result,) = measure([Measurement("late", ())], minutes=0, run=answering)
    assert result.failed == "no time was left"


def test_a_process_of_its_own_is_run():
    (result,) = measure(
        [Measurement("options", ("bench", "--help"))],
        minutes=1,
        run=lambda command, **more: answering(command, **more) if command[0] == sys.executable else None,
    )
    assert result.figures == SPEED


def test_every_preset_and_switch_is_among_them():
    wanted = measurements("cuda:0")
    said = [" ".join(each.arguments) for each in wanted]
    for name in FULL_PRESETS:
        assert any(f"bench speed --preset {name}" in each for each in said)
        assert any(f"bench memory --preset {name}" in each for each in said)
    for switch in ("deterministic", "captured", "tf32", "checkpoint", "compiled"):
        assert any(f"engine.{switch}=" in each for each in said)
    assert any(each.tests for each in wanted)
