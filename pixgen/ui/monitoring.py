"""What monitors ask a page for: ``/health`` (is it ready?) and ``/metrics`` (Prometheus). Neither tells of a person.

``Monitoring`` is the ASGI middleware that answers both, and ``StudioMetrics`` collects what ``/metrics`` shows.
"""

import hmac
import os
import threading
from collections import Counter as Counters
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pixgen import __version__
from pixgen.errors import ModelError, PictureError, PixgenError, QueueFull, RecipeError, StorageError
from pixgen.studio import Job, Studio
from pixgen.studio.memory_check import free_bytes

HEALTH, METRICS = "/health", "/metrics"
TOKEN = "PIXGEN_METRICS_TOKEN"
STATES = ("waiting", "loading", "painting", "paused")
_REASONS = {RecipeError: "recipe", PictureError: "picture", ModelError: "model", StorageError: "storage"}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class StudioMetrics:
    """The metrics of a studio and its page in a separate registry.

    ``pixgen_jobs`` by state, ``pixgen_queue_length``, ``pixgen_workers`` by device, ``pixgen_jobs_ended_total`` by state,
    ``pixgen_step_seconds`` (one observation a job: its mean), ``pixgen_refusals_total`` by reason, threads, the
    memory of the device, and prometheus_client's metrics of the process. No label names a prompt, person or run.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio, self.registry = studio, CollectorRegistry()
        self._ended = Counter(
            "pixgen_jobs_ended",
            "Jobs that have ended, by their last state",
            ["state"],
            registry=self.registry,
        )
        self._steps = Histogram(
            "pixgen_step_seconds",
            "Seconds a step: the mean of each job",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._refusals = Counter(
            "pixgen_refusals",
            "Requests that were refused: jobs, uploads and logins, by reason",
            ["reason"],
            registry=self.registry,
        )
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        studio.on_job_end(self._add_job)
        studio.on_refusal(self._add_refusal)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: the registry would call ``collect`` to learn the names, before there is anything."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges at this moment; prometheus_client calls it."""
        states = dict.fromkeys(STATES, 0)
        for entry in self._studio.queue():
            state = "paused" if entry.paused else entry.job.state
            states[state] = states.get(state, 0) + 1
        jobs = GaugeMetricFamily("pixgen_jobs", "Jobs in the queue, by state", labels=["state"])
        for state, count in states.items():
            jobs.add_metric([state], count)
        yield jobs
        yield GaugeMetricFamily(
            "pixgen_queue_length", "Jobs that wait for their turn", value=states["waiting"] + states["paused"]
        )
        workers = GaugeMetricFamily("pixgen_workers", "Workers that paint, by device", labels=["device"])
        for device, count in Counters(worker.device for worker in self._studio.workers).items():
            workers.add_metric([device], count)
        yield workers
        yield GaugeMetricFamily("pixgen_threads", "Threads of the process", value=threading.active_count())
        if (free := free_bytes(self._studio.device)) is not None:
            yield GaugeMetricFamily(
                "pixgen_device_free_bytes", "Free memory of the device that paints", value=free
            )

    def refuse(self, reason: str) -> None:
        """Count a request that was refused, such as an upload."""
        self._refusals.labels(reason).inc()

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _add_job(self, job: Job) -> None:
        self._ended.labels(job.state).inc()
        if (rate := job.status().steps_per_second) > 0:
            self._steps.observe(1 / rate)

    def _add_refusal(self, error: PixgenError) -> None:
        if isinstance(error, QueueFull):
            self.refuse(error.reason)
        else:
            self.refuse(next((name for kind, name in _REASONS.items() if isinstance(error, kind)), "studio"))


class Monitoring:
    """ASGI middleware that answers ``GET /health``, ``GET /metrics`` and ``HEAD /``, and passes everything else on.

    ``/health`` needs no login; its JSON has ``status``, ``version``, ``device``, and how many jobs are ``painting`` and
    ``waiting``. ``/metrics`` answers with Prometheus' text. If ``$PIXGEN_METRICS_TOKEN`` is set, it wants that as
    ``Authorization: Bearer …``; without it, ``/metrics`` of a public page does not exist.
    """

    def __init__(self, app: ASGIApp, *, studio: Studio, metrics: StudioMetrics, public: bool) -> None:
        self._app, self._studio, self._metrics = app, studio, metrics
        self._token = os.environ.get(TOKEN, "")
        self._open = not public or bool(self._token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = ""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            path = scope["path"].removeprefix(scope.get("root_path", ""))
        answer: Response
        if path == HEALTH:
            answer = JSONResponse(self._health())
        elif path == "/" and scope["method"] == "HEAD":
            # gradio asks itself so at the start, for three seconds; a busy machine needs longer to render the page.
            answer = Response(media_type="text/html")
        elif path == METRICS and self._open:
            if self._has_token(scope):
                answer = Response(self._metrics.text(), media_type=CONTENT_TYPE_LATEST)
            else:
                answer = Response(
                    "The metrics need the token.", 401, {"www-authenticate": "Bearer"}, "text/plain"
                )
        elif path == METRICS:
            answer = Response("There are no metrics here.", 404, media_type="text/plain")
        else:
            await self._app(scope, receive, send)
            return
        answer.headers["cache-control"] = "no-store"
        await answer(scope, receive, send)

    def _health(self) -> dict[str, Any]:
        states = [entry.job.state for entry in self._studio.queue()]
        return {
            "status": "ready",
            "version": __version__,
            "device": self._studio.device,
            "painting": len(states) - states.count("waiting"),
            "waiting": states.count("waiting"),
        }

    def _has_token(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return not self._token or hmac.compare_digest(given, b"Bearer " + self._token.encode())
