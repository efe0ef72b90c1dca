"""Run every benchmark that the documentation lists as not measured on a GPU, within a time limit, into one table.

Each figure comes from its own command in its own process, the most important first. The table is written after
each, so that a machine that is taken away in the middle still leaves one.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FULL = ("--model", "imagenet-16384", "--clip", "ViT-B-32", "--size", "512x512", "--cutouts", "32")
FULL_PRESETS = ("full-draft", "full-normal", "full-better", "full-best", "full-supreme")
_BF16 = ("--set", "precision=bfloat16")
_LONGEST = 180.0  # seconds of one command
_WRITING_TIME = 5.0  # seconds that are kept for writing


@dataclass(frozen=True)
class Measurement:
    """One line of the table: its title, and the arguments after ``python -m pixgen``; ``tests`` are arguments
    of pytest instead."""

    what: str
    arguments: tuple[str, ...]
    tests: bool = False


@dataclass
class Result:
    """The result of a measurement: its figures, or the reason why there are none."""

    what: str
    command: str
    seconds: float
    figures: dict[str, Any] = field(default_factory=dict)
    failed: str = ""


def measurements(device: str) -> list[Measurement]:
    """The measurements, the most informative first."""

    def speed(what: str, *more: str) -> Measurement:
        return Measurement(what, ("bench", "speed", *more, "--steps", "8", "--device", device, "--json"))

    switches = {
        "float32 (TF32)": ("--set", "precision=float32"),
        "float32 without TF32": ("--set", "precision=float32", "--set", "engine.tf32=false"),
        "float16": ("--set", "precision=float16"),
        "launched piece by piece": (*_BF16, "--set", "engine.captured=false"),
        "deterministic": (*_BF16, "--set", "engine.deterministic=true"),
        "checkpoints": (*_BF16, "--set", "engine.checkpoint=true"),
        "compiled": (*_BF16, "--set", "engine.compiled=true"),
    }
    return [
        speed("a step in bfloat16", *FULL, *_BF16),
        speed("balanced", "--preset", "balanced"),
        Measurement("what needs a GPU, tested", ("-q", "-m", "gpu"), tests=True),
        *(speed(f"a step, {name}", *FULL, *more) for name, more in switches.items()),
        *(speed(name, "--preset", name) for name in FULL_PRESETS),
        *(
            Measurement(
                f"memory of {name}",
                ("bench", "memory", "--preset", name, "--device", device, "--json"),
            )
            for name in ("balanced", *FULL_PRESETS)
        ),
        Measurement("watching", ("bench", "stream", "--pairs", "2", "--device", device, "--json")),
    ]


def measure(
    wanted: Iterable[Measurement],
    *,
    minutes: float,
    run: Callable[..., subprocess.CompletedProcess] = subprocess.run,
    report: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """The results of as many measurements as there is time for; the others say that there was none.

    Args:
        run: as ``subprocess.run``.
        report: called with each result as it comes.
    """
    ends, results = time.monotonic() + 60 * minutes - _WRITING_TIME, []
    for each in wanted:
        left = min(_LONGEST, ends - time.monotonic())
        result = _run_measurement(each, seconds=left, run=run)
        results.append(result)
        report(result)
    return results


def _run_measurement(each: Measurement, *, seconds: float, run: Callable[..., Any]) -> Result:
    module = "pytest" if each.tests else "pixgen"
    command = [sys.executable, "-m", module, *each.arguments]
    said = f"python -m {module} {' '.join(each.arguments)}"
    if seconds <= 0:
        return Result(each.what, said, 0.0, failed="no time was left")
    began = time.monotonic()
    try:
        done = run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return Result(each.what, said, seconds, failed=f"took longer than {seconds:.0f} s")
    took = time.monotonic() - began
    last = (done.stdout.strip().splitlines() or [""])[-1]
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [last])[-1]
        return Result(each.what, said, took, failed=why[:200])
    return Result(each.what, said, took, {"tests": last} if each.tests else json.loads(last))


# Of a command's figures, those that the table shows, with their units.
_TABLE_FIGURES = {
    "step_ms": "{:.1f} ms a step", "steps_a_second": "{:.1f} steps/s", "times_the_plain_loop": "{:.2f} × the plain loop",
    "part_of_the_matrix_rate": "{:.0%} of the matrix rate", "multiplied_in": "{}", "peak_megabytes": "{:.0f} MB at most",
    "measured_megabytes": "{:.0f} MB measured", "estimated_megabytes": "{:.0f} MB estimated", "alone_steps_a_second": "{:.1f} steps/s alone",
    "watched_steps_a_second": "{:.1f} watched", "tests": "{}",
}  # fmt: skip


def as_markdown(results: Sequence[Result], *, device: str) -> str:
    """The results as a table, for the documentation."""
    lines = [f"On {device}:", "", "| what | measured | command |", "| --- | --- | --- |"]
    for each in results:
        shown = [
            form.format(each.figures[name]) for name, form in _TABLE_FIGURES.items() if name in each.figures
        ]
        lines.append(
            f"| {each.what} | {each.failed or ', '.join(shown) or 'see the JSON'} | `{each.command}` |"
        )
    return "\n".join(lines) + "\n"


def write_table(results: Sequence[Result], out: Path, *, device: str) -> None:
    """Write the table as Markdown, and all figures beside it as JSON."""
    out.write_text(as_markdown(results, device=device), "utf-8")
    stored = {"device": device, "results": [asdict(each) for each in results]}
    out.with_suffix(".json").write_text(json.dumps(stored, indent=2) + "\n", "utf-8")
