"""The Classify tab's actions: generators of views, each a set of updates; no gradio here."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixgen.errors import ClassifyError
from pixgen.models import available_clips
from pixgen.models.progress import DownloadProgress
from pixgen.studio.library.classifier import ClassifierService
from pixgen.text_files import encode_table
from pixgen.ui.classify import view
from pixgen.ui.i18n import Translator
from pixgen.ui.protection.events import read_form_number
from pixgen.ui.status import fetching_html
from pixgen.vision.zeroshot.batches import make_question
from pixgen.vision.zeroshot.evaluation import evaluate, results_to_csv, results_to_json
from pixgen.vision.zeroshot.labels import parse_templates
from pixgen.vision.zeroshot.sources import collect_sources

if TYPE_CHECKING:
    from pixgen.vision.zeroshot.batches import ClassifiedPicture
    from pixgen.vision.zeroshot.sources import Source
    from pixgen.vision.zeroshot.zeroshot import Classifier, Question

MOST_PUBLIC = 200  # pictures at once on a public page
_SECONDS_BETWEEN = 0.15  # two screens: faster updates would not be visible


@dataclass(frozen=True)
class View:
    """What changes on the page; None leaves a part as it is."""

    status: str | None = None  # HTML
    answers: str | None = None  # HTML
    busy: bool | None = None
    tables: tuple[bytes, bytes] | None = None  # CSV and JSON


@dataclass(frozen=True, kw_only=True)
class ClassifyForm:
    """The tab's form as typed values."""

    pictures: Sequence[str] = ()  # the paths of uploads: pictures and zips
    labels: str = ""
    label_set: str = ""  # its name
    mode: str = "one"  # or "several"
    none: str = "never"  # when the answer is "none of these": "never", "else", "below" or "both"
    none_below: float | None = None  # a cosine
    templates: str = ""  # a set's name, "own", or empty for those that suit the labels
    own_templates: str = ""
    model: str = ""
    top: int = 5  # labels shown per picture

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "ClassifyForm":
        """From values by the names of the fields, as gradio or a program sends them; None is the default."""
        given = {each.name: values[each.name] for each in fields(cls) if values.get(each.name) is not None}
        given["top"] = max(1, read_form_number(given.get("top") or 5, int, name="top"))
        if "none_below" in given:
            given["none_below"] = read_form_number(given["none_below"], float, name="none_below")
        return cls(**given)


CLASSIFY_FIELDS = tuple(each.name for each in fields(ClassifyForm))


@dataclass(frozen=True)
class ClassifyRequest:
    """A form that was read and checked: the pictures, the models and the question."""

    sources: "list[Source]"
    models: tuple[str, ...]
    question: "Question"
    top: int

    @classmethod
    def from_form(cls, form: ClassifyForm, service: ClassifierService) -> "ClassifyRequest":
        """Gather the form's pictures and labels. Raises PixgenError."""
        if not form.pictures:
            raise ClassifyError("There is no picture yet: add one first.")
        sources = collect_sources([Path(path) for path in form.pictures], uploaded=True)
        if service.studio.policy.public and len(sources) > MOST_PUBLIC:
            raise ClassifyError(
                "Too many pictures at once: {count}. The limit here is {limit}.",
                limit=MOST_PUBLIC,
                count=len(sources),
            )
        models = (form.model or available_clips()[0],)
        chosen = service.load(form.label_set) if form.label_set else None
        templates = parse_templates(form.own_templates) if form.templates == "own" else form.templates
        question = make_question(
            sources,
            models,
            labels=form.labels,
            label_set=chosen,
            templates=templates,
            several=form.mode == "several",
            or_else=form.none in ("else", "both"),
            none_below=form.none_below if form.none in ("below", "both") else None,
        )
        return cls(sources, models, question, form.top)


def classify(
    service: ClassifierService, form: ClassifyForm, stop: threading.Event, *, say: Translator
) -> Iterator[View]:
    """Classify the form's pictures in batches, after its model was loaded. A stopped run shows the results
    so far."""
    yield View(status=view.progress_html("loading", say("Reading the labels")), busy=True)
    asked = ClassifyRequest.from_form(form, service)
    longest = service.studio.policy.longest_seconds
    deadline = time.monotonic() + (longest if longest is not None else float("inf"))

    def stopped() -> bool:
        return stop.is_set() or time.monotonic() > deadline

    for fetching in service.load_models(asked.models, stopped=stopped):
        if fetching is not None:
            yield View(status=_fetching(say, fetching), busy=True)
    classifier = None
    if not stopped():
        classifier = service.classifier(asked.question, asked.models, stopped=stopped)
    results: list[ClassifiedPicture] = []
    began = shown = time.monotonic()
    if classifier is not None:
        for batch in service.classify(
            classifier, asked.models, asked.sources, stopped=stopped, thumbnails=view.MOST_CARDS
        ):
            results += batch
            if time.monotonic() - shown > _SECONDS_BETWEEN:
                shown = time.monotonic()
                yield View(status=_looking(say, asked, results, shown - began), busy=True)
    yield _final_view(say, asked, classifier, results, late=time.monotonic() > deadline)


def explain(
    service: ClassifierService,
    form: ClassifyForm | None,
    place: int,
    label: str,
    *,
    say: Translator,
) -> str:
    """The panel that explains a label by a heat map, as HTML. Raises PixgenError."""
    from pixgen.vision.zeroshot.explain import overlay

    if not form:
        raise ClassifyError("These pictures are no longer available: classify them again.")
    asked = ClassifyRequest.from_form(form, service)
    if not 0 <= place < len(asked.sources):
        raise ClassifyError("These pictures are no longer available: classify them again.")
    source = asked.sources[place]
    picture = source.open()
    classifier = service.classifier(asked.question, asked.models)
    glow = overlay(picture, service.explain(classifier, asked.models, picture, label=label))
    return view.heat_map(say, picture, glow, name=source.name, label=label)


def error_view(say: Translator, message: str) -> View:
    """The view of a request that failed."""
    status = view.progress_html("failed", say("Couldn't classify"), part=0, notice=message)
    return View(status=status, busy=False)


def _fetching(say: Translator, fetching: DownloadProgress) -> str:
    more, megabytes = fetching_html(say, fetching)
    part = None if megabytes is None else megabytes[0] / max(1, megabytes[1])
    return view.progress_html("loading", say("Downloading a model"), more=more, part=part)


def _looking(
    say: Translator, asked: ClassifyRequest, results: "Sequence[ClassifiedPicture]", seconds: float
) -> str:
    done, total = len(results), len(asked.sources)
    more = [
        say("{done} of {total} pictures", done=done, total=total),
        say("{rate:.0f} a second", rate=done / max(seconds, 1e-3)),
    ]
    return view.progress_html("looking", say("Classifying"), more=more, part=done / total)


def _final_view(
    say: Translator,
    asked: ClassifyRequest,
    classifier: "Classifier | None",
    results: "list[ClassifiedPicture]",
    *,
    late: bool,
) -> View:
    """The last view, with all results so far."""
    done, total = len(results), len(asked.sources)
    whole = done == total
    notice = (
        ""
        if whole
        else say("The time limit for one request was reached: these are the results so far.")
        if late
        else ""
        if done
        else say("Stopped before the first picture.")
    )
    status = view.progress_html(
        "done" if whole else "stopped",
        say("Done") if whole else say("Stopped"),
        more=[say("{done} of {total} pictures", done=done, total=total)],
        part=done / total,
        notice=notice,
    )
    if not results:
        return View(status=status, busy=False)
    evaluation = evaluate(results, asked.question.labels)
    shown = view.results_html(say, results, evaluation, top=asked.top, alike=classifier.similar_labels())
    tables = (
        encode_table(results_to_csv(results, top=asked.top)),
        results_to_json(results, evaluation, top=asked.top).encode(),
    )
    return View(status=status, answers=shown, busy=False, tables=tables)
