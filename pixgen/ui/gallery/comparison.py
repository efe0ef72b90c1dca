"""Comparison of two runs as HTML: one picture over the other with a slider, and their differences."""

import base64
from html import escape

from pixgen.errors import StudioError
from pixgen.studio import Run, Studio
from pixgen.studio.gallery.catalogue import RunFilter
from pixgen.studio.gallery.compare import differences, format_differences
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.runs.run import mean_similarity
from pixgen.ui.i18n import Translator
from pixgen.ui.session import BrowserSession

MOST_LISTED = 100  # the newest


def run_choices(gallery: Gallery, visitor: BrowserSession, say: Translator) -> list[tuple[str, str]]:
    """The newest runs to choose from, as ``(label, id)``."""
    entries = gallery.find(RunFilter(), owner=visitor.owner, count=MOST_LISTED)
    return [
        (
            say(
                "{prompt} · {time}",
                prompt=_short(entry.prompt),
                time=entry.id[9:11] + ":" + entry.id[11:13],
            ),
            entry.id,
        )
        for entry in entries
    ]


def comparison_html(
    studio: Studio, one: object, other: object, visitor: BrowserSession, *, say: Translator
) -> str:
    """One run's picture over the other's. Raises StudioError if the visitor may not see one of them."""
    runs = [_run(studio, each, visitor) for each in (one, other)]
    left, right = runs
    line = format_differences(differences(left.recipe, right.recipe), same=say("The recipes are the same."))
    figures = "".join(
        f"<span><strong>{escape(_short(run.recipe.title))}</strong> {_figure(run)}</span>" for run in runs
    )
    ratio = left.recipe.width / left.recipe.height
    return (
        f'<figure class="pg-pair-of-runs" style="--at: 50%"><div style="aspect-ratio: {ratio:.4f}">'
        f"{_image(say, right)}{_image(say, left)}"
        f'<input type="range" min="0" max="100" value="50" aria-label="{escape(say("Comparison slider"))}" data-slide></div>'
        f"<figcaption><p>{figures}</p><p>{escape(line)}</p></figcaption></figure>"
    )


def _run(studio: Studio, run_id: object, visitor: BrowserSession) -> Run:
    run = studio.run(str(run_id or ""))
    if (studio.policy.public and run.owner != visitor.owner) or not run.picture.is_file():
        raise StudioError("This picture no longer exists.")
    return run


def _image(say: Translator, run: Run) -> str:
    data = base64.b64encode(run.picture.read_bytes()).decode()
    alt = say("{prompt}, seed {seed}", prompt=run.recipe.title, seed=run.recipe.seed)
    return f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}">'


def _figure(run: Run) -> str:
    match = mean_similarity(run)
    return "" if match is None else f"{match:.3f}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
