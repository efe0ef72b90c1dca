"""Measure the page under load: many people who paint, watch and stop at once, as HTTP clients of a real server.

A server is started in public mode with the bundled models. Each person is a browser with an address and a session of
its own: it submits tiny pictures, watches each in two tabs, and stops some. Meanwhile one more types a prompt.
"""

import asyncio
import json
import os
import random
import re
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import mean, median
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

import httpx
from gradio_client.utils import apply_diff

from pixgen.errors import StudioError
from pixgen.studio.metadata.picture_info import read_metadata

STOP_EVERY = 10  # jobs, of which the last is stopped
_START_SECONDS, _STREAM_SECONDS = 180.0, 600.0
_WARM = 20  # jobs before the memory is looked at for the first time
_SIZE, _STEPS, _START = "32x32", 4, "codes"  # no sketch: it would take most of the time
_TOKEN = "PIXGEN_METRICS_TOKEN"


@dataclass
class Outcome:
    """How a job ended: ``run`` is its id, ``problem`` what was wrong about its end, empty if nothing was."""

    person: int
    state: str
    run: str = ""
    problem: str = ""
    refusals: int = 0


@dataclass
class Seen:
    """What the people of a bench saw, in seconds."""

    outcomes: list[Outcome] = field(default_factory=list)
    stops: list[float] = field(default_factory=list)
    prompts: list[float] = field(default_factory=list)
    memory: list[tuple[int, float, float, float]] = field(default_factory=list)  # jobs, bytes, threads, files


def load(*, people: int, jobs: int, device: str = "auto") -> dict[str, Any]:
    """The figures of so many people who paint so many pictures in all, at once. Raises StudioError."""
    with TemporaryDirectory(prefix="pixgen-bench-") as folder:
        with _server(Path(folder), device) as (address, token):
            seen = asyncio.run(_run(address, token, people=people, jobs=jobs))
        log = [_parse(line) for line in (Path(folder) / "log").read_text("utf-8").splitlines()]
    return {"people": people, "jobs": jobs, **figures(seen, [line for line in log if line])}


def figures(seen: Seen, log: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures of what people saw and what the server logged."""
    outcomes = seen.outcomes
    joined = {line["run"]: line for line in log if "estimated_wait" in line}
    ended = [line for line in log if "waited" in line]
    return {
        "ended": {
            state: sum(one.state == state for one in outcomes) for state in ("done", "stopped", "failed")
        },
        "problems": sorted({one.problem for one in outcomes if one.problem}),
        "without_own_picture_or_sentence": sum(bool(one.problem) for one in outcomes),
        "refusals_with_a_sentence": sum(one.refusals for one in outcomes),
        "stop_answered_seconds": _spread(seen.stops),
        "prompt_help_seconds": _spread(seen.prompts),
        **_fairness(outcomes, ended),
        **_estimates(joined, ended),
        **_growth(seen.memory),
    }


def text(figures: dict[str, Any]) -> str:
    """The measurements of ``load`` as text."""
    return "\n".join(f"{name.replace('_', ' '):>34}  {value}" for name, value in figures.items())


def _spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    if not ordered:
        return {}
    high = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {
        "count": len(ordered), "median": round(median(ordered), 3), "p95": round(high, 3), "most": round(ordered[-1], 3),
    }  # fmt: skip


def _fairness(outcomes: Sequence[Outcome], ended: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How evenly people waited: Jain's index of their mean waits (1: all the same), and the most turns that another
    had while one person waited for one."""
    persons = {one.run: one.person for one in outcomes}
    waits: dict[int, list[float]] = {}
    turns: list[tuple[float, float, int]] = []  # when it joined, when it began, whose
    for line in ended:
        if (person := persons.get(line["run"])) is not None and line["waited"]:
            waits.setdefault(person, []).append(line["waited"])
            began = line["at"] - line["seconds"]
            turns.append((began - line["waited"], began, person))
    means = [mean(each) for each in waits.values()]
    index = sum(means) ** 2 / (len(means) * sum(one**2 for one in means)) if means else 1.0
    most = 0
    for joined, began, person in turns:
        others = [other for _, at, other in turns if joined < at < began and other != person]
        most = max(most, *(others.count(other) for other in set(others)), 0) if others else most
    return {"fairness_of_waits": round(index, 3), "most_turns_of_another_while_one_waits": most}


def _estimates(joined: dict[str, dict[str, Any]], ended: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The share of jobs whose estimated wait was right within 30 % or a second."""
    pairs = [
        (joined[line["run"]]["estimated_wait"], line["waited"])
        for line in ended
        if line["run"] in joined and line["waited"]
    ]
    pairs = [(estimate, waited) for estimate, waited in pairs if estimate is not None]
    right = [abs(estimate - waited) <= max(1.0, 0.3 * waited) for estimate, waited in pairs]
    return {
        "estimated_waits": len(pairs),
        "estimated_within_30_percent": round(mean(right), 3) if right else None,
    }


def _growth(memory: Sequence[tuple[int, float, float, float]]) -> dict[str, Any]:
    if not memory:
        return {}
    first = next((one for one in memory if one[0] >= _WARM), memory[-1])
    last = memory[-1]
    return {
        f"megabytes_after_{first[0]}_and_{last[0]}_jobs": [round(one[1] / 1e6) for one in (first, last)],
        "memory_growth_percent": round(100 * (last[1] / first[1] - 1), 1),
        "threads_most_and_last": [int(max(one[2] for one in memory)), int(last[2])],
        "files_most_and_last": [int(max(one[3] for one in memory)), int(last[3])],
    }


@contextmanager
def _server(folder: Path, device: str) -> Iterator[tuple[str, str]]:
    """Serve a page in public mode from a new process until the block ends; yields its address and the token of its
    metrics. It logs JSON into ``log``. Raises StudioError if it does not start."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    arguments = [
        "app",
        "--public",
        "--port",
        str(port),
        "--output-dir",
        str(folder / "runs"),
        "--device",
        device,
    ]
    environment = {
        **os.environ,
        _TOKEN: token,
        "PIXGEN_LOG": "json",
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pixgen", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
        )
        try:
            address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + _START_SECONDS
            while True:
                with suppress(httpx.HTTPError):
                    if httpx.get(f"{address}/health").is_success:
                        break
                if process.poll() is not None or time.monotonic() > deadline:
                    raise StudioError("The page did not start: try `pixgen app --public`.")
                time.sleep(0.2)
            yield address, token
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _parse(line: str) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except ValueError:
        return {}
    if isinstance(read, dict) and "time" in read:
        return {**read, "at": datetime.fromisoformat(read["time"]).timestamp()}
    return {}


async def _run(address: str, token: str, *, people: int, jobs: int) -> Seen:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=_STREAM_SECONDS, limits=limits) as client:
        page, seen = _Page((await client.get("/config")).json()), Seen()
        numbers = iter(range(jobs))
        over = asyncio.Event()
        beside = [
            asyncio.create_task(_type(client, page, seen, over)),
            asyncio.create_task(_measure(client, token, seen, over)),
        ]
        await asyncio.gather(
            *(_Person(number, client, page, seen).paint(numbers) for number in range(people))
        )
        over.set()
        await asyncio.gather(*beside)
    return seen


class _Page:
    """The events of the page, by the elements that trigger them."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._components = {each["id"]: each["props"] for each in config["components"]}
        self._events = config["dependencies"]
        self.generate = self._event("pg-generate", "click")
        self.stop = self._event("pg-stop", "click")
        self.help = self._event("pg-ask-help", "click")
        self.watch = self._event("pg-look-at", "click")
        shown = [self._name(each) for each in self.generate["outputs"]]
        self.status, self.picture = shown.index("pg-status"), shown.index("pg-picture")
        self.session = self.generate["outputs"].index(self.generate["inputs"][0])

    def values(self, event: dict[str, Any], **given: Any) -> list[Any]:
        """The inputs of an event as the page sends them, with other values of some fields."""
        values = []
        for place in event["inputs"]:
            props = self._components[place]
            classes = props.get("elem_classes") or []
            name = next(
                (each.removeprefix("pg-field-") for each in classes if each.startswith("pg-field-")), ""
            )
            values.append(given[name] if name in given else props.get("value"))
        return values

    def _event(self, element: str, kind: str) -> dict[str, Any]:
        for event in self._events:
            for target, trigger in event["targets"]:
                if (
                    trigger == kind
                    and target is not None
                    and event["backend_fn"]
                    and self._name(target) == element
                ):
                    return event
        raise StudioError("The page has no {element}.", element=element)

    def _name(self, place: int) -> str:
        return self._components.get(place, {}).get("elem_id") or ""


class _Person:
    """Somebody with a browser, who paints one picture after another."""

    def __init__(self, number: int, client: httpx.AsyncClient, page: _Page, seen: Seen) -> None:
        self._number, self._client, self._page, self._seen = number, client, page, seen
        self._session = ""
        self._headers = {"x-forwarded-for": f"11.0.{number // 250}.{1 + number % 250}"}
        self._chance = random.Random(number)

    async def paint(self, numbers: Iterator[int]) -> None:
        """Paint the pictures with the next of these numbers until there is none."""
        for number in numbers:
            self._seen.outcomes.append(await self._paint_one(number))

    async def _paint_one(self, number: int) -> Outcome:
        refusals = 0
        while True:
            outcome = await self._try(number)
            if outcome is not None:
                outcome.refusals = refusals
                return outcome
            refusals += 1  # the queue is full, and a sentence said so: again a little later
            await asyncio.sleep(self._chance.uniform(2.0, 5.0))

    async def _try(self, number: int) -> Outcome | None:
        values = self._page.values(
            self._page.generate,
            prompt=f"a red fox, number {number}",
            size=_SIZE,
            steps=_STEPS,
            start=_START,
            seed=str(number),
        )
        values[0] = self._session
        stops = number % STOP_EVERY == STOP_EVERY - 1
        beside: asyncio.Task | None = None
        shown: list[Any] = []
        async for shown in self._stream(self._page.generate, values):
            self._session = _text(shown[self._page.session]) or self._session
            if beside is None and 'data-state="waiting"' in _text(shown[self._page.status]):
                beside = asyncio.create_task(self._stop() if stops else self._watch())
        if beside is not None:
            await beside
        status = _text(shown[self._page.status]) if shown else ""
        state = next(iter(re.findall(r'data-state="(\w+)"', status)), "")
        run = json.loads(self._session).get("job", "") if self._session else ""
        if state == "failed" and "The queue is full" in status:
            return None
        problem = (
            ""
            if state in ("done", "stopped")
            else f"it ended as {state or 'nothing'}: {_plain(status)[:200]}"
        )
        if state == "done":
            problem = await self._check_picture(shown[self._page.picture], number)
        return Outcome(self._number, state, run, problem)

    async def _check_picture(self, update: Any, number: int) -> str:
        """What is wrong about the picture of a job; empty if it is the one with that number's seed."""
        file = (update or {}).get("value") if isinstance(update, dict) else None
        if not file:
            return f"it has no picture: {update}"[:200]
        answer = await self._client.get(f"/gradio_api/file={file['path']}", headers=self._headers)
        if not answer.is_success:
            return f"its picture is answered with {answer.status_code}"
        with NamedTemporaryFile(suffix=".png") as copy:
            copy.write(answer.content)
            copy.flush()
            recipe = read_metadata(Path(copy.name))
        return "" if recipe.seed == number else f"it shows the picture of another job ({recipe.seed})"

    async def _watch(self) -> None:
        """Watch in a second tab until the job has ended."""
        async for _ in self._stream(self._page.watch, [self._session]):
            pass

    async def _stop(self) -> None:
        began = time.monotonic()
        await _call(self._client, self._page.stop, [self._session], self._headers)
        self._seen.stops.append(time.monotonic() - began)

    async def _stream(self, event: dict[str, Any], values: list[Any]) -> AsyncIterator[list[Any]]:
        async for shown in _stream(self._client, event, values, self._headers):
            yield shown


async def _stream(
    client: httpx.AsyncClient, event: dict[str, Any], values: list[Any], headers: dict[str, str]
) -> AsyncIterator[list[Any]]:
    """The outputs of a queued event, as they come: first all, then all with what has changed."""
    session, shown = secrets.token_hex(5), None
    body = {"fn_index": event["id"], "data": values, "session_hash": session}
    joined = await client.post("/gradio_api/queue/join", json=body, headers=headers)
    joined.raise_for_status()
    url = f"/gradio_api/queue/data?session_hash={session}"
    async with _sse(client, url, headers) as messages:
        async for message in messages:
            kind, output = message.get("msg"), message.get("output") or {}
            if kind == "process_generating" and output.get("data") is not None:
                data = output["data"]
                shown = data if shown is None else [
                    apply_diff(one, diff) if diff else one for one, diff in zip(shown, data, strict=True)
                ]  # fmt: skip
                yield shown
            elif kind == "process_completed":
                if not message.get("success", True):
                    raise StudioError("The page failed: {error}", error=output.get("error"))
                if output.get("data"):  # whole again, with what came last
                    yield output["data"]
                return


@asynccontextmanager
async def _sse(
    client: httpx.AsyncClient, url: str, headers: dict[str, str]
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    async with client.stream("GET", url, headers=headers) as answer:

        async def messages() -> AsyncIterator[dict[str, Any]]:
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line[5:])

        yield messages()


async def _call(
    client: httpx.AsyncClient, event: dict[str, Any], values: list[Any], headers: dict[str, str]
) -> None:
    """Call an event that is not queued."""
    body = {"fn_index": event["id"], "data": values, "session_hash": secrets.token_hex(5)}
    answer = await client.post("/gradio_api/run/predict", json=body, headers=headers)
    answer.raise_for_status()


async def _type(client: httpx.AsyncClient, page: _Page, seen: Seen, over: asyncio.Event) -> None:
    """Ask for the help about a prompt four times a second, as somebody who types."""
    words = "a lighthouse by the sea at dusk with boats and gulls above the harbour"
    length = 0
    while not over.is_set():
        length = length % len(words) + 1
        began = time.monotonic()
        await _call(client, page.help, page.values(page.help, prompt=words[:length]), {})
        seen.prompts.append(time.monotonic() - began)
        await asyncio.sleep(0.25)


async def _measure(client: httpx.AsyncClient, token: str, seen: Seen, over: asyncio.Event) -> None:
    """Look at the server's memory, threads and files every second, and once more at the end."""
    names = ("process_resident_memory_bytes", "pixgen_threads", "process_open_fds")
    while True:
        last = over.is_set()
        answer = await client.get("/metrics", headers={"authorization": f"Bearer {token}"})
        values = dict(line.split(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
        seen.memory.append((len(seen.outcomes), *(float(values[name]) for name in names)))
        if last:
            return
        with suppress(asyncio.TimeoutError, TimeoutError):
            await asyncio.wait_for(over.wait(), 1.0)


def _text(value: Any) -> str:
    """The text of an output, which may be wrapped in an update."""
    if isinstance(value, dict):
        value = value.get("value")
    return value if isinstance(value, str) else ""


def _plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
