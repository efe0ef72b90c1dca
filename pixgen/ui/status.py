"""The status below the picture as HTML: progress, speed, and similarity to the prompts."""

import secrets
from collections.abc import Iterable, Sequence
from html import escape

from pixgen.models.progress import DownloadProgress
from pixgen.recipe.recipe import Recipe
from pixgen.studio import JobStatus, Run
from pixgen.ui.i18n import Translator


def idle_html() -> str:
    """The status before the first picture."""
    return status_section("idle")


def starting_html(say: Translator, recipe: Recipe) -> str:
    """The status right after the click; it has room for the bars, so that nothing moves later."""
    return status_section("starting", status_line(say("Starting")), _similarity(say, recipe, 0, ()))


def status_html(say: Translator, recipe: Recipe, job_status: JobStatus, *, wait: float | None = None) -> str:
    """The status of a job that is waiting, loading or painting.

    Args:
        wait: the seconds until its turn, if it waits and they are known.
    """
    frame, left = job_status.frame, _time_left(say, job_status)
    if job_status.state == "waiting":
        more = [
            say("next in line")
            if job_status.position <= 1
            else say("{place} ahead of you", place=job_status.position)
        ]
        if wait is not None:
            more.append(say("in about {time}", time=duration(say, wait)))
        line = status_line(say("Waiting"), more)
        if job_status.paused:
            steps = None if frame is None else (max(0, frame.step), frame.steps)
            more = [say("other pictures go first")]
            line = status_line(say("Paused"), more, progress=steps, say=say)
    elif frame is None and job_status.fetching is not None:
        more, megabytes = fetching_html(say, job_status.fetching)
        line = status_line(say("Downloading a model"), more, progress=megabytes, say=say)
    elif frame is None:
        line = status_line(say("Getting ready"), [say("the models are being loaded"), *left])
    elif frame.step < 0:
        line = status_line(say("Sketching"), [say("the start of the picture"), *left])
    else:
        line = status_line(
            say("Painting"),
            [*_figures(say, job_status), *left],
            progress=(frame.step, frame.steps),
            say=say,
        )
    step, similarities = (frame.step, frame.similarities) if frame is not None else (0, ())
    likeness = _similarity(say, recipe, step, similarities)
    notice = say(job_status.notice)
    sketching = frame is not None and frame.step < 0
    state = "loading" if sketching else "paused" if job_status.paused else job_status.state
    return status_section(state, line, likeness, notice=notice)


def final_html(say: Translator, run: Run, *, link: str = "") -> str:
    """The status of a run that is done, stopped or failed, or that another page paints.

    Args:
        link: the query of an address that brings back its settings.
    """
    recipe, steps = run.recipe, run.recipe.steps
    seed = say("seed {seed}", seed=recipe.seed)
    step = say("step {step} of {steps}", step=run.step, steps=steps)
    if recipe.changes:
        steps_changed = ", ".join(str(change.step) for change in recipe.changes)
        seed += " · " + say("changed at step {steps}", steps=steps_changed)
    begun, not_begun = (
        (say.pgettext("painting", "Stopped"), [step, say("picture and video are saved"), seed]),
        (say("Stopped before it started"), [seed]),
    )
    said, more = {
        "done": (say("Done"), [step, duration(say, run.seconds), seed]),
        "stopped": begun if run.has_started else not_begun,
        "failed": (say("Couldn't paint"), [step, seed]),
    }.get(run.state, (say("Painted by another page"), [step, seed]))
    return status_section(
        run.state,
        status_line(said, more, progress=(run.step, steps), say=say),
        _similarity(say, recipe, run.step, run.similarities),
        notice=say(run.notice),
        **({"link": link} if link else {}),
    )


def error_html(say: Translator, message: str, *, field: str = "") -> str:
    """The message that the requested work was not started, and why. Each differs from the last, so that one
    that comes again is new to the browser.

    Args:
        field: of the form, if the error is about one.
    """
    attributes = {"mark": secrets.token_hex(4)} | ({"field": field} if field else {})
    return status_section("failed", status_line(say("Couldn't paint")), notice=message, **attributes)


def duration(say: Translator, seconds: float) -> str:
    """A duration in words, such as ``2 min 05 s``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return say("{seconds} s", seconds=whole)
    return say("{minutes} min {seconds:02d} s", minutes=whole // 60, seconds=whole % 60)


def fetching_html(say: Translator, fetching: DownloadProgress) -> tuple[list[str], tuple[int, int] | None]:
    """The status of a model's download, and its progress in megabytes."""
    done = fetching.done // 10**6
    if fetching.waiting:
        return [fetching.model, say("another pixgen is downloading it")], None
    if not fetching.total:
        return [fetching.model, say("{done:,} MB so far", done=done)], None
    total = fetching.total // 10**6
    return [fetching.model, say("{done:,} of {total:,} MB", done=done, total=total)], (done, total)


def _figures(say: Translator, job_status: JobStatus) -> Iterable[str]:
    yield say("step {step} of {steps}", step=job_status.frame.step, steps=job_status.frame.steps)
    rate = job_status.steps_per_second
    if rate:
        yield (
            say("{rate:.1f} steps a second", rate=rate)
            if rate >= 1
            else say("{seconds:.1f} s a step", seconds=1 / rate)
        )


def _time_left(say: Translator, job_status: JobStatus) -> list[str]:
    if job_status.seconds_left is None:
        return []
    return [say("{time} left", time=duration(say, job_status.seconds_left))]


def status_section(
    state: str, line: str = "", likeness: str = "", *, notice: str = "", **attributes: str
) -> str:
    """The parts of the status: the bar and its line, a notice, and the similarities; ``attributes`` are told to
    the browser as ``data-…``."""
    alert = f'<p class="pg-notice" role="alert">{escape(notice)}</p>' if notice else ""
    about = "".join(f' data-{name}="{escape(value)}"' for name, value in attributes.items())
    content = f"{line or status_line('')}{alert}{likeness}"
    return f'<section class="pg-status" data-state="{state}"{about}>{content}</section>'


def status_line(
    said: str,
    more: Iterable[str] = (),
    *,
    progress: tuple[int, int] | None = None,
    say: Translator | None = None,
) -> str:
    """The bar and the line below it; screen readers announce only changes of the state."""
    figures = "".join(f"<span>{escape(each)}</span>" for each in more)
    text = f'<p class="pg-line"><strong role="status">{escape(said)}</strong>{figures}</p>'
    if progress is None:
        return f'<div class="pg-bar"><i></i></div>{text}'
    step, steps = progress
    part = step / steps if steps else 1.0
    return (
        f'<div class="pg-bar" role="progressbar" aria-label="{escape(say("Progress"))}" aria-valuemin="0" '
        f'aria-valuemax="{steps}" aria-valuenow="{step}"><i style="width: {part:.1%}"></i></div>{text}'
    )


def _similarity(say: Translator, recipe: Recipe, step: int, similarities: Sequence[tuple[str, float]]) -> str:
    """A bar for each prompt in force; empty ones before the first frame."""
    scene = recipe.scene(max(0, step))
    rows = similarities or [(prompt.label, None) for prompt in scene]
    signs = [prompt.weight < 0 for prompt in scene] if len(scene) == len(rows) else [False] * len(rows)
    items = "".join(_bar(say, label, value, away) for (label, value), away in zip(rows, signs, strict=True))
    return f'<ul class="pg-likeness" aria-label="{escape(say("Similarity of the picture to each prompt, by CLIP"))}">{items}</ul>'


def _bar(say: Translator, label: str, value: float | None, away: bool) -> str:
    shown = "" if value is None else f"{value:.2f}"
    part = 0.0 if value is None else min(1.0, max(0.0, value))
    name = escape(say("Similarity to “{prompt}”", prompt=label))
    aside = f" <small>{escape(say('avoided'))}</small>" if away else ""
    return (
        f'<li class="{"away" if away else "toward"}"><span title="{escape(label)}"><em>{escape(label)}</em>{aside}</span>'
        f'<div role="meter" aria-label="{name}" aria-valuemin="0" aria-valuemax="1" aria-valuenow="{part:.2f}">'
        f'<i style="width: {part:.1%}"></i></div><b>{shown}</b></li>'
    )
