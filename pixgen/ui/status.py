"""What is said below the picture, as HTML: how far it is, how fast, and how well it fits the words."""

from collections.abc import Iterable, Sequence
from html import escape

from pixgen.models.progress import Fetching
from pixgen.recipe import Recipe
from pixgen.studio import Glimpse, Run
from pixgen.ui.model_texts import ModelWords
from pixgen.ui.texts import Words


def idle(words: Words) -> str:
    """Nothing has been painted yet."""
    return section("idle")


def starting(words: Words, recipe: Recipe) -> str:
    """The click has arrived; the bars' places are kept from here on, so that nothing moves later."""
    return section("starting", line_of(words.starting), _likeness(words, recipe, 0, ()))


def of_glimpse(words: Words, recipe: Recipe, glimpse: Glimpse) -> str:
    """A job that waits, loads or paints."""
    frame = glimpse.frame
    if glimpse.state == "waiting":
        more = [
            words.next_in_line if glimpse.place <= 1 else words.place.format(place=glimpse.place)
        ]
        line = line_of(words.waiting, more)
        if glimpse.paused:
            steps = None if frame is None else (max(0, frame.step), frame.steps)
            more = [words.turning.paused_more]
            line = line_of(words.turning.paused, more, progress=steps, words=words)
    elif frame is None and glimpse.fetching is not None:
        more, megabytes = of_fetching(words.models, glimpse.fetching)
        line = line_of(words.models.fetching, more, progress=megabytes, words=words)
    elif frame is None:
        line = line_of(words.loading, [words.loading_more])
    elif frame.step < 0:
        line = line_of(words.sketching, [words.sketching_more])
    else:
        line = line_of(
            words.painting,
            _figures(words, glimpse),
            progress=(frame.step, frame.steps),
            words=words,
        )
    step, similarities = (frame.step, frame.similarities) if frame is not None else (0, ())
    likeness = _likeness(words, recipe, step, similarities)
    notice = words.sentences(glimpse.notice)
    sketching = frame is not None and frame.step < 0
    state = "loading" if sketching else "paused" if glimpse.paused else glimpse.state
    return section(state, line, likeness, notice=notice)


def of_end(words: Words, run: Run) -> str:
    """A run that is done, stopped or failed."""
    recipe, steps = run.recipe, run.recipe.steps
    seed = words.seed_was.format(seed=recipe.seed)
    step = words.step.format(step=run.step, steps=steps)
    if recipe.changes:
        steps_changed = ", ".join(str(change.step) for change in recipe.changes)
        seed += " · " + words.turning.changed.format(steps=steps_changed)
    begun, not_begun = (words.stopped, [step, words.kept, seed]), (words.not_begun, [seed])
    said, more = {
        "done": (words.done, [step, duration(words, run.seconds), seed]),
        "stopped": begun if run.begun else not_begun,
    }.get(run.state, (words.failed, [step, seed]))
    return section(
        run.state,
        line_of(said, more, progress=(run.step, steps), words=words),
        _likeness(words, recipe, run.step, run.similarities),
        notice=words.sentences(run.notice),
    )


def failed(words: Words, message: str) -> str:
    """What was asked for was not begun, and why."""
    return section("failed", line_of(words.failed), notice=message)


def duration(words: Words, seconds: float) -> str:
    """Seconds as a person says them."""
    whole = max(0, round(seconds))
    if whole < 60:
        return words.seconds.format(seconds=whole)
    return words.minutes.format(minutes=whole // 60, seconds=whole % 60)


def of_fetching(words: ModelWords, fetching: Fetching) -> tuple[list[str], tuple[int, int] | None]:
    """What is said of a model that is not here yet, and how many of its megabytes have come."""
    done = fetching.done // 10**6
    if fetching.waiting:
        return [fetching.model, words.elsewhere], None
    if not fetching.total:
        return [fetching.model, words.fetched_so_far.format(done=done)], None
    total = fetching.total // 10**6
    return [fetching.model, words.fetched.format(done=done, total=total)], (done, total)


def _figures(words: Words, glimpse: Glimpse) -> Iterable[str]:
    yield words.step.format(step=glimpse.frame.step, steps=glimpse.frame.steps)
    rate = glimpse.steps_a_second
    if rate:
        yield words.speed.format(rate=rate) if rate >= 1 else words.slow.format(seconds=1 / rate)
    if glimpse.seconds_left is not None:
        yield words.left.format(time=duration(words, glimpse.seconds_left))


def section(state: str, line: str = "", likeness: str = "", *, notice: str = "") -> str:
    """What is said of a state, one below the other: the bar and its line, a notice, the likeness."""
    alert = f'<p class="pg-notice" role="alert">{escape(notice)}</p>' if notice else ""
    return f'<section class="pg-status" data-state="{state}">{line or line_of("")}{alert}{likeness}</section>'


def line_of(
    said: str,
    more: Iterable[str] = (),
    *,
    progress: tuple[int, int] | None = None,
    words: Words | None = None,
) -> str:
    """The bar and the line below it; only the state itself is spoken when it changes."""
    figures = "".join(f"<span>{escape(each)}</span>" for each in more)
    text = f'<p class="pg-line"><strong role="status">{escape(said)}</strong>{figures}</p>'
    if progress is None:
        return f'<div class="pg-bar"><i></i></div>{text}'
    step, steps = progress
    part = step / steps if steps else 1.0
    return (
        f'<div class="pg-bar" role="progressbar" aria-label="{escape(words.progress)}" aria-valuemin="0" '
        f'aria-valuemax="{steps}" aria-valuenow="{step}"><i style="width: {part:.1%}"></i></div>{text}'
    )


def _likeness(
    words: Words, recipe: Recipe, step: int, similarities: Sequence[tuple[str, float]]
) -> str:
    """A bar for each prompt in force; empty ones before the first frame."""
    scene = recipe.scene(max(0, step))
    rows = similarities or [(prompt.label, None) for prompt in scene]
    signs = (
        [prompt.weight < 0 for prompt in scene] if len(scene) == len(rows) else [False] * len(rows)
    )
    items = "".join(
        _bar(words, label, value, away) for (label, value), away in zip(rows, signs, strict=True)
    )
    return f'<ul class="pg-likeness" aria-label="{escape(words.likeness)}">{items}</ul>'


def _bar(words: Words, label: str, value: float | None, away: bool) -> str:
    shown = "" if value is None else f"{value:.2f}"
    part = 0.0 if value is None else min(1.0, max(0.0, value))
    name = escape(words.likeness_of.format(prompt=label))
    aside = f" <small>{escape(words.pushed_away)}</small>" if away else ""
    return (
        f'<li class="{"away" if away else "toward"}"><span title="{escape(label)}"><em>{escape(label)}</em>{aside}</span>'
        f'<div role="meter" aria-label="{name}" aria-valuemin="0" aria-valuemax="1" aria-valuenow="{part:.2f}">'
        f'<i style="width: {part:.1%}"></i></div><b>{shown}</b></li>'
    )
