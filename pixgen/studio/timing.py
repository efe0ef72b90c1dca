"""Estimates durations: of a running job, and of a recipe from what earlier jobs took."""

import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from pixgen.errors import StorageError
from pixgen.recipe.recipe import Recipe
from pixgen.studio.storage import write_bytes

_SHARE = 0.1  # weight of the newest step: about the last ten steps count


class StepRate:
    """An exponential moving average of the seconds per step, with bias correction."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._weight = 0.0
        self._last: float | None = None

    def step(self, now: float, *, work: float = 1.0) -> None:
        """Record that a frame came at this time, in seconds of any clock.

        Args:
            work: of the step, in units of a usual step's.
        """
        if self._last is not None:
            self._seconds += _SHARE * ((now - self._last) / work - self._seconds)
            self._weight += _SHARE * (1 - self._weight)
        self._last = now

    def pause(self) -> None:
        """Leave out the time until the next frame."""
        self._last = None

    @property
    def steps_per_second(self) -> float:
        """Steps per second; 0 until there are two frames."""
        return self._weight / self._seconds if self._seconds > 0 else 0.0

    def seconds_left(self, steps: float) -> float | None:
        """The seconds for so many more steps; None while the rate is unknown."""
        return steps / self.steps_per_second if self.steps_per_second else None


_REMEMBERED = 64  # combinations of models and sizes
_CUTOUTS = 12  # so many cost about as much as decoding _PIXELS: the two halves of a usual step
_PIXELS = 128 * 128
_NEWEST = 0.6  # weight of the newest job: a machine is now and then shared, and models are updated
FILE = "durations.json"


class _Durations(BaseModel):
    """What is learned, as it is saved: seconds by the kind of recipe, the newest last."""

    steps: dict[str, float] = Field(default_factory=dict)  # a unit of work
    sketches: dict[str, float] = Field(default_factory=dict)
    loading: dict[str, float] = Field(default_factory=dict)
    saving: dict[str, float] = Field(default_factory=dict)


class DurationEstimator:
    """Estimates seconds from earlier jobs with the same models, size, cutouts and losses.

    Other recipes are estimated from the most similar earlier job, in proportion to pixels and cutouts. Any
    thread may call it.

    Args:
        path: where what was learned is kept for the next start; by default it is forgotten.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._lock, self._path = threading.Lock(), path
        self._known = _read(path)

    def record(
        self,
        recipe: Recipe,
        *,
        work: float | None = None,
        sketch: float | None = None,
        loading: float | None = None,
        saving: float | None = None,
    ) -> None:
        """Record what a job took, in seconds; None for what it did not do.

        Args:
            work: a unit of work, as ``work_of`` counts it.
        """
        known = self._known
        with self._lock:
            _learn(known.steps, _kind(recipe), work)
            _learn(known.saving, _kind(recipe), saving)
            _learn(known.sketches, _sketch_kind(recipe), sketch)
            if loading is not None:  # models that had to be read from the disk are there the next time
                usual = known.loading.get(_models(recipe), loading)
                _learn(known.loading, _models(recipe), min(loading, 2 * usual))
            if self._path is not None:
                with suppress(StorageError):  # the next start learns it again
                    write_bytes(self._path, known.model_dump_json().encode())

    def unit(self, recipe: Recipe) -> float | None:
        """The seconds of a unit of a recipe's work; None before the first job."""
        with self._lock:
            return _nearest(self._known.steps, _kind(recipe))

    def saving(self, recipe: Recipe) -> float:
        """The seconds from the last step to the end."""
        with self._lock:
            return self._known.saving.get(_kind(recipe), 0.0)

    def sketch(self, recipe: Recipe) -> float | None:
        """The seconds of the sketch that a recipe starts from; None if there was none of its kind."""
        with self._lock:
            return self._known.sketches.get(_sketch_kind(recipe)) if recipe.init.needs_sketcher else 0.0

    def loading(self, recipe: Recipe) -> float:
        """The seconds before the sketch or the first step."""
        with self._lock:
            return self._known.loading.get(_models(recipe), 0.0)

    def estimate(self, recipe: Recipe, *, first: int = 0) -> float | None:
        """The seconds from a recipe's turn to its end; None before the first job.

        Args:
            first: the step to go on from.
        """
        unit = self.unit(recipe)
        if unit is None:
            return None
        start = 0.0 if first else self.sketch(recipe) or 0.0
        return self.loading(recipe) + start + work_of(recipe, first) * unit + self.saving(recipe)


class JobTimer:
    """Measures one job, and estimates how long it still takes: first from earlier jobs, then from its own
    steps. Times are in seconds of any one clock."""

    def __init__(self, durations: DurationEstimator, *, first: int = 0) -> None:
        self._durations, self._first = durations, first
        self._began: dict[str, float] = {}  # the stages, by their names
        self._sketches = 0  # frames of the sketch
        self._sketches_left = 0
        self._step_rate, self._work_rate = StepRate(), StepRate()
        self._last: tuple[int, float] | None = None  # the newest step, and when it came
        self._counted, self._work, self._seconds = 0, 0.0, 0.0

    @property
    def steps_per_second(self) -> float:
        """Steps per second; 0 until there are two frames."""
        return self._step_rate.steps_per_second

    def enter(self, stage: str, now: float) -> None:
        """Record that a stage has begun: ``loading`` or ``painting``."""
        self._began.setdefault(stage, now)

    def add_frame(self, recipe: Recipe, step: int, now: float) -> None:
        """Record a frame; steps below 0 are the sketch's."""
        if step < 0:
            self._sketches, self._sketches_left = self._sketches + 1, -step
            return
        self._began.setdefault("steps", now)
        work = work_of(recipe, step, step + 1)
        if self._last is not None:
            self._counted, self._work = self._counted + 1, self._work + work
            self._seconds += now - self._last[1]
        self._step_rate.step(now)
        self._work_rate.step(now, work=work)
        self._last = (step, now)

    def pause(self) -> None:
        """Leave out the time until the next frame."""
        self._last = None
        self._step_rate.pause()
        self._work_rate.pause()

    def seconds_left(self, recipe: Recipe, *, step: int | None, now: float) -> float | None:
        """The seconds to the end at a step; None while nothing is known.

        Args:
            step: of the newest frame, if there is one.
        """
        unit = self._unit(recipe)
        if unit is None:
            return None
        if step is not None and step >= 0:
            work = 0.0 if step >= recipe.steps else work_of(recipe, step + 1, recipe.steps + 1)
            return work * unit + self._durations.saving(recipe)
        before = self._before_steps(recipe, now)
        if before is None:
            return None
        return before + work_of(recipe, self._first) * unit + self._durations.saving(recipe)

    def finish(self, recipe: Recipe, now: float) -> None:
        """Let the estimator learn from the job."""
        if self._counted < 2:
            return
        unit = self._seconds / self._work
        loading, painting, steps = (self._began.get(name) for name in ("loading", "painting", "steps"))
        known = loading is not None and painting is not None and steps is not None
        first = unit * work_of(recipe, self._first, self._first + 1)
        self._durations.record(
            recipe,
            work=unit,
            loading=painting - loading if known else None,  # type: ignore[operator]
            sketch=max(0.0, steps - painting - first) if known and self._sketches else None,  # type: ignore[operator]
            saving=now - self._last[1] if self._last and self._last[0] >= recipe.steps else None,
        )

    def _unit(self, recipe: Recipe) -> float | None:
        """The seconds of a unit of work: the first steps of a job are slower than the others, so that earlier
        jobs count more than they do."""
        learned, measured = self._durations.unit(recipe), self._work_rate.seconds_left(1.0)
        if learned is None or measured is None:
            return measured if learned is None else learned
        trust = self._counted / (self._counted + 8)
        return trust * measured + (1 - trust) * learned

    def _before_steps(self, recipe: Recipe, now: float) -> float | None:
        """The seconds until the first step, before it."""
        sketch = 0.0 if self._first else self._durations.sketch(recipe)
        if "painting" not in self._began:
            loading = self._durations.loading(recipe) - (now - self._began.get("loading", now))
            return None if sketch is None else max(0.0, loading) + sketch
        elapsed = now - self._began["painting"]
        if sketch is None:  # none of its kind yet: as its own frames go on
            return elapsed / self._sketches * self._sketches_left if self._sketches else None
        return max(0.0, sketch - elapsed)


def work_of(recipe: Recipe, first: int = 0, end: int | None = None) -> float:
    """The work of the steps from ``first`` to before ``end``, in units of a usual step's; by default of all,
    with the last picture, which is evaluated and not changed."""
    end = recipe.steps + 1 if end is None else end
    if not recipe.growth.at:
        return max(0, end - first) * _work(recipe, (recipe.width, recipe.height))
    stages = Counter(recipe.stage(step) for step in range(first, end))
    return sum(count * _work(recipe, recipe.canvas(stage)) for stage, count in stages.items())


def _work(recipe: Recipe, size: tuple[int, int]) -> float:
    return size[0] * size[1] / _PIXELS + recipe.cutouts.count / _CUTOUTS


def _learn(known: dict[str, float], kind: str, seconds: float | None) -> None:
    """Add a measurement as the newest of its kind."""
    if seconds is None:
        return
    before = known.pop(kind, seconds)
    known[kind] = _NEWEST * seconds + (1 - _NEWEST) * before
    while len(known) > _REMEMBERED:
        del known[next(iter(known))]


def _nearest(known: dict[str, float], kind: str) -> float | None:
    """The seconds of a kind, else of the newest with its models, else of the newest of all."""
    if kind in known or not known:
        return known.get(kind)
    models = kind.split(" ")[0]
    return next((known[each] for each in reversed(known) if each.split(" ")[0] == models), None) or next(
        iter(reversed(known.values()))
    )


def _models(recipe: Recipe) -> str:
    return ",".join((recipe.drawer, recipe.model, *recipe.clip_names)).replace(" ", "_")


def _kind(recipe: Recipe) -> str:
    """What decides the seconds of a unit of work: first the models, then the rest."""
    losses = [name for name in type(recipe.losses).model_fields if recipe.losses.weight(name)]
    size = f"{recipe.width}x{recipe.height}"
    return " ".join(
        (
            _models(recipe),
            size,
            str(recipe.cutouts.count),
            recipe.cutouts.kind,
            *map(str, recipe.growth.at),
            *losses,
        )
    )


def _sketch_kind(recipe: Recipe) -> str:
    sketch, (width, height) = recipe.init.sketch, recipe.canvas(recipe.stage(0))
    return f"{sketch.model} {sketch.candidates} {sketch.parser} {width}x{height} {_models(recipe)}"


def _read(path: Path | None) -> _Durations:
    """What earlier starts have learned; nothing if there is no such file, or it is broken."""
    if path is not None:
        with suppress(OSError, ValidationError, UnicodeDecodeError):
            return _Durations.model_validate_json(path.read_text("utf-8"))
    return _Durations()
