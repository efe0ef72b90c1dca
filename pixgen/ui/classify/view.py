"""HTML of the Classify tab: the empty state, progress, a card per picture, tables and the heat map."""

import base64
import io
from collections.abc import Sequence
from functools import cache
from html import escape

from PIL import Image

from pixgen.paths import ASSETS
from pixgen.ui.i18n import Translator
from pixgen.vision.zeroshot.batches import ClassifiedPicture
from pixgen.vision.zeroshot.evaluation import Evaluation
from pixgen.vision.zeroshot.zeroshot import Answer

EXAMPLES = ASSETS / "examples"
MOST_CARDS = 100
MOST_ROWS = 1000
_MOST_CELLS = 40  # labels up to which the confusion matrix is shown
_UPRIGHT = 6  # labels from which its headings would be wider than its cells


def example_names() -> list[str]:
    """The names of the bundled pictures."""
    return sorted(path.name for path in EXAMPLES.glob("*.png"))


def empty_html(say: Translator) -> str:
    """The empty state: example pictures that are classified by a click."""
    chips = "".join(
        f'<button type="button" data-example="{place}" title="{escape(_bare(name))}">'
        f'<img src="{_example(name)}" alt="{escape(say("Example: {name}", name=_bare(name)))}" '
        'width="96" height="96"></button>'
        for place, name in enumerate(example_names())
    )
    help_text = say(
        "Pictures, or a zip of them. If a zip has folders named after labels, the answers are checked against them."
    )
    return (
        f'<div class="pg-answers-empty"><h2>{escape(say("Type some labels and see which one fits."))}</h2>'
        f'<p>{escape(say("Add pictures, or start with one of these:"))}</p><div class="pg-pick">{chips}</div>'
        f"<p>{escape(help_text)}</p></div>"
    )


def progress_html(
    state: str, said: str, *, more: Sequence[str] = (), part: float | None = None, notice: str = ""
) -> str:
    """The line above the answers; its height is constant, so that nothing moves."""
    figures = "".join(f"<span>{escape(each)}</span>" for each in more)
    alert = f'<p class="pg-notice" role="alert">{escape(notice)}</p>' if notice else ""
    bar = "<i></i>" if part is None else f'<i style="width: {part:.1%}"></i>'
    value = "" if part is None else f' aria-valuenow="{part:.0%}"'.replace("%", "")
    return (
        f'<section class="pg-status" data-state="{state}"><div class="pg-bar" role="progressbar" '
        f'aria-label="{escape(said)}" aria-valuemin="0" aria-valuemax="100"{value}>{bar}</div>'
        f'<p class="pg-line"><strong role="status">{escape(said)}</strong>{figures}</p>{alert}</section>'
    )


def results_html(
    say: Translator,
    results: Sequence[ClassifiedPicture],
    evaluation: Evaluation | None,
    *,
    top: int,
    alike: Sequence[tuple[str, str, float]] = (),
) -> str:
    """The results: warnings, accuracy, a table and a card per picture."""
    doubts = [
        say(
            "This model can hardly tell “{first}” and “{second}” apart (cosine {cosine:.2f}): do not rely on the difference.",
            first=first,
            second=second,
            cosine=cosine,
        )
        for first, second, cosine in alike
    ]
    warnings = "".join(f'<p class="pg-warning">{escape(doubt)}</p>' for doubt in doubts)
    cards = "".join(_card(say, place, result, top) for place, result in enumerate(results[:MOST_CARDS]))
    parts = [
        warnings,
        _accuracy(say, evaluation) if evaluation is not None else "",
        _table(say, results) if len(results) > 1 else "",
        f'<ul class="pg-cards" aria-label="{escape(say("The answers"))}">{cards}</ul>',
    ]
    return "".join(parts)


def heat_map(say: Translator, picture: Image.Image, glow: Image.Image, *, name: str, label: str) -> str:
    """The panel with a picture beside its heat map for a label."""
    shown = picture.resize(glow.size)
    title = say("Why “{label}”?", label=label)
    alt = say("{name}, with the areas that support “{label}” highlighted", name=name, label=label)
    return (
        f'<div class="pg-heat" role="dialog" aria-label="{escape(title)}"><div><h2>{escape(title)}</h2>'
        f'<p><img src="{_uri(shown)}" alt="{escape(name)}"><img src="{_uri(glow)}" alt="{escape(alt)}"></p>'
        f"<small>{escape(say('Bright areas raised the similarity to this label (integrated gradients, Sundararajan et al., 2017).'))}</small>"
        f'<button type="button" data-close autofocus>{escape(say("Close"))}</button></div></div>'
    )


def summary(say: Translator, result: ClassifiedPicture) -> str:
    """A picture's labels as text."""
    if result.answer is None:
        return say(result.error)
    return ", ".join(result.answer.found) or say("none of these")


def _card(say: Translator, place: int, result: ClassifiedPicture, top: int) -> str:
    answer, told = result.answer, summary(say, result)
    alt = escape(f"{result.name}: {told}")
    picture = f'<img src="{result.thumbnail}" alt="{alt}">' if result.thumbnail else "<span></span>"
    head = f"<h2>{escape(told)}</h2><small>{escape(result.name)}</small>"
    if answer is None:
        return f'<li class="pg-card failed">{picture}<div>{head}</div></li>'
    close = ""
    if answer.close:
        close = say(
            "Too close to call: “{first}” or “{second}”.",
            first=answer.close[0],
            second=answer.close[1],
        )
        close = f'<p class="pg-warning">{escape(close)}</p>'
    best = answer.found[0] if answer.found else answer.top(1)[0].label
    bars = "".join(_bar(say, place, score, score.label in answer.found) for score in answer.top(top))
    if answer.none is not None:
        bars += _row(f"<span>{escape(say('none of these'))}</span>", answer.none, "", not answer.found)
    paint = (
        f'<button type="button" class="pg-paint" data-paint="{escape(best)}" '
        f'title="{escape(say("Paint “{label}”", label=best))}">{escape(say("Paint"))}</button>'
    )
    return f'<li class="pg-card">{picture}<div>{head}{close}<ul>{bars}</ul>{paint}</div></li>'


def _bar(say: Translator, place: int, score, found: bool) -> str:
    button = (
        f'<button type="button" data-picture="{place}" data-label="{escape(score.label)}" '
        f'title="{escape(say("Why “{label}”?", label=score.label))}">{escape(score.label)}</button>'
    )
    told = escape(say("cosine {cosine:.3f}", cosine=score.cosine))
    # On narrow screens, page.css shows the number only.
    cosine = f'<small title="{told}" data-short="{score.cosine:.2f}">{told}</small>'
    return _row(button, score.probability, cosine, found)


def _row(label: str, part: float, cosine: str, found: bool) -> str:
    """One bar; ``label`` and ``cosine`` are HTML."""
    return (
        f'<li class="{"found" if found else "other"}">{label}<div role="presentation">'
        f'<i style="width: {part:.1%}"></i></div><b>{part:.0%}</b>{cosine}</li>'
    )


def _table(say: Translator, results: Sequence[ClassifiedPicture]) -> str:
    heads = "".join(
        f'<th scope="col"><button type="button" data-sort="{place}">{escape(head)}</button></th>'
        for place, head in enumerate(
            (say("Picture"), say("Answer"), say("Probability"), say("Cosine"), say("Folder"))
        )
    )
    rows = []
    for result in results[:MOST_ROWS]:
        cells = (result.name, summary(say, result), *_figures(result.answer), result.label)
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    only = ""
    if len(results) > MOST_ROWS:
        only = say(
            "The first {shown} of {total} are shown; the downloads have them all.",
            shown=MOST_ROWS,
            total=len(results),
        )
        only = f"<p>{escape(only)}</p>"
    return (
        f'<details class="pg-table" open><summary>{escape(say("All pictures"))}</summary><div tabindex="0">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{only}</details>"
    )


def _figures(answer: Answer | None) -> tuple[str, str]:
    """Probability and cosine of the best label; "none of these" has no cosine."""
    if answer is None:
        return "", ""
    if not answer.found and answer.none is not None:
        return f"{answer.none:.3f}", ""
    best = answer.top(1)[0]
    return f"{best.probability:.3f}", f"{best.cosine:.3f}"


def _accuracy(say: Translator, evaluation: Evaluation) -> str:
    right = sum(each for _, each, _ in evaluation.per_label())
    total = say(
        "{right} of {total} correct ({share:.0%})",
        right=right,
        total=evaluation.total,
        share=evaluation.accuracy,
    )
    rows = "".join(
        f"<li><span>{escape(label)}</span><div><i style='width: {good / count:.1%}'></i></div>"
        f"<b>{good}/{count}</b></li>"
        for label, good, count in evaluation.per_label()
    )
    unknown = ""
    if evaluation.unknown:
        unknown = say.ngettext(
            "{count} picture is in a folder that is not named after a label, and is not counted.",
            "{count} pictures are in folders that are not named after labels, and are not counted.",
            evaluation.unknown,
        )
        unknown = f"<p>{escape(unknown)}</p>"
    return (
        f'<section class="pg-accuracy"><h2>{escape(total)}</h2>{unknown}'
        f'<details><summary>{escape(say("Accuracy by label"))}</summary><ul class="pg-shares">{rows}</ul></details>'
        f"{_confusion(say, evaluation.occurring())}</section>"
    )


def _confusion(say: Translator, evaluation: Evaluation) -> str:
    if len(evaluation.labels) > _MOST_CELLS:
        return ""  # nobody can read it; the downloads have it
    most = max(1, int(evaluation.counts.max()))
    many = " many" if len(evaluation.labels) > _UPRIGHT else ""  # the headings are vertical then
    heads = "".join(
        f'<th scope="col"><span>{escape(label)}</span></th>'
        for label in (*evaluation.labels, say("none of these"))
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(
            f'<td style="--part: {count / most:.2f}" class="{"right" if place == row else "wrong"}">'
            f"{count or ''}</td>"
            for place, count in enumerate(evaluation.counts[row])
        )
        + "</tr>"
        for row, label in enumerate(evaluation.labels)
    )
    return (
        f'<details class="pg-confusion{many}" open><summary>{escape(say("Folders (rows) and answers (columns)"))}</summary><div tabindex="0">'
        f"<table><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )


@cache
def _example(name: str) -> str:
    data = base64.b64encode((EXAMPLES / name).read_bytes()).decode()
    return f"data:image/png;base64,{data}"


def _bare(name: str) -> str:
    return name.removesuffix(".png").replace("-", " ")


def _uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
