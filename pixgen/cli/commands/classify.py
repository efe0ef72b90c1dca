"""``pixgen classify``: name what is in pictures, without training."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixgen.cli._listings import printable
from pixgen.cli._options import AsJson, Device
from pixgen.cli._outputs import check_target
from pixgen.errors import ClassifyError
from pixgen.paths import expand
from pixgen.text_files import encode_table

if TYPE_CHECKING:
    from pixgen.studio.library.classifier import ClassifierService
    from pixgen.vision.zeroshot.batches import ClassifiedPicture
    from pixgen.vision.zeroshot.evaluation import Evaluation
    from pixgen.vision.zeroshot.labels import LabelSet
    from pixgen.vision.zeroshot.sources import Source
    from pixgen.vision.zeroshot.zeroshot import Classifier

_BARS = 12  # pictures up to which each one's labels are shown with bars
_WIDTH = 24  # signs of a bar


def classify(
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures, folders of them, or zips.", metavar="PICTURE…")
    ],
    labels: Annotated[
        str, typer.Option(help="“cat, dog, red car”; without any, the folders' names.", metavar="LABELS")
    ] = "",
    label_set: Annotated[
        str | None, typer.Option(help="A set of labels: cifar10, imagenet, emoji-animals, …, or a file of them.", metavar="NAME")
    ] = None,
    templates: Annotated[
        str, typer.Option(help="none, photo, drawing, seven, eighty, …, or your own: “a photo of a {}”.", metavar="NAME")
    ] = "",
    top: Annotated[int, typer.Option(help="How many labels a picture.", min=1, metavar="N")] = 5,
    several: Annotated[
        bool, typer.Option("--multi", help="Which ones, each by itself, instead of which one.")
    ] = False,
    none_below: Annotated[
        float | None, typer.Option(help="None of these, if the best cosine is below.", metavar="X")
    ] = None,
    or_else: Annotated[
        bool, typer.Option("--or-else", help="None of these, if something else fits better.")
    ] = False,
    temperature: Annotated[
        float | None, typer.Option(help="Of the probabilities; else the model's own.", metavar="X")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="What looks: pocket, or open_clip's ViT-B-32/laion2b_s34b_b79k; several look together.", metavar="NAME"),
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write a table here.", metavar="FILE.csv")] = None,
    explain: Annotated[
        Path | None, typer.Option(help="Draw here what in the picture spoke for a label.", metavar="OUT.png")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--for", help="The label to be explained; else the best.", metavar="LABEL")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let --csv and --explain replace existing files.")
    ] = False,
    device: Device = "auto",
    output_dir: Annotated[
        Path | None,
        typer.Option(help="Where own label sets are kept, in “labels”; else $PIXGEN_OUTPUT_DIR, else ./outputs.", metavar="FOLDER"),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Name what is in pictures, without training: with the labels that you give."""
    for path, option, suffix in ((csv, "--csv", ".csv"), (explain, "--explain", ".png")):
        if path is not None:
            check_target(path, option, suffixes=(suffix,), overwrite=overwrite)
    from pixgen.studio import Studio
    from pixgen.studio.library.classifier import ClassifierService
    from pixgen.studio.storage import write_bytes
    from pixgen.vision.zeroshot.batches import make_question
    from pixgen.vision.zeroshot.evaluation import evaluate, results_to_csv
    from pixgen.vision.zeroshot.sources import collect_sources

    models, sources = tuple(model or ("pocket",)), collect_sources(pictures)
    if explain is not None and len(sources) != 1:
        raise ClassifyError("--explain is for one picture: there are {count}.", count=len(sources))
    with Studio(output_dir, device=device) as studio:
        namer = ClassifierService(studio)
        question = make_question(
            sources, models, labels=labels, label_set=_set(namer, label_set) if label_set else None,
            templates=templates, several=several, none_below=none_below, or_else=or_else, temperature=temperature,
        )  # fmt: skip
        classifier = namer.classifier(question, models)
        results = _show_progress(namer, classifier, models, sources)
        if all(result.answer is None for result in results):
            raise ClassifyError(results[0].error)
        if explain is not None:
            best = label or results[0].answer.top(1)[0].label
            _explain(namer, classifier, models, sources[0], label=best, path=explain)
        if csv is not None:
            write_bytes(csv, encode_table(results_to_csv(results, top=top)))
    evaluation = evaluate(results, question.labels)
    if as_json:
        _say_json(results, evaluation, top)
    else:
        _say(results, evaluation, top, classifier)


def _set(namer: "ClassifierService", name: str) -> "LabelSet":
    """A set of labels by its name, or in a file: JSON, or labels as they are typed."""
    from pixgen.vision.zeroshot.labels import FILES, read_label_set

    path = expand(name)
    return read_label_set(path) if path.suffix.lower() in FILES else namer.load(name)


def _show_progress(
    namer: "ClassifierService",
    classifier: "Classifier",
    models: tuple[str, ...],
    sources: "Sequence[Source]",
) -> "list[ClassifiedPicture]":
    """Every result; on a terminal, a line that tells how far it is."""
    from rich.console import Console

    results: list = []
    with Console(stderr=True, highlight=False).status("Looking") as status:
        for batch in namer.look(classifier, models, sources):
            results += batch
            status.update(f"{len(results)} of {len(sources)} pictures")
    return results


def _explain(
    namer: "ClassifierService",
    classifier: "Classifier",
    models: tuple[str, ...],
    source: "Source",
    *,
    label: str,
    path: Path,
) -> None:
    from pixgen.studio.storage import writing
    from pixgen.vision.zeroshot.explain import overlay

    picture = source.open()
    heat = namer.explain(classifier, models, picture, label=label)
    with writing(path) as temporary:
        overlay(picture, heat).save(temporary, "PNG")


def _say_json(results: "list[ClassifiedPicture]", evaluation: "Evaluation | None", top: int) -> None:
    from pixgen.vision.zeroshot.evaluation import evaluation_to_dict, results_to_dicts

    for value in results_to_dicts(results, top=top):
        typer.echo(json.dumps(value, ensure_ascii=False))
    if evaluation is not None:
        typer.echo(json.dumps({"evaluation": evaluation_to_dict(evaluation)}, ensure_ascii=False))


def _say(
    results: "list[ClassifiedPicture]", evaluation: "Evaluation | None", top: int, classifier: "Classifier"
) -> None:
    from pixgen.vision.zeroshot.evaluation import summary

    for result in results:
        typer.echo(f"{printable(result.name)}: {printable(summary(result) or result.error)}{_doubt(result)}")
        if len(results) <= _BARS and result.answer is not None:
            for score in result.answer.top(top):
                bar = "█" * round(score.probability * _WIDTH)
                typer.echo(
                    f"  {score.probability:6.1%} {bar:{_WIDTH}} {score.label}  (cosine {score.cosine:.3f})"
                )
    for first, second, cosine in classifier.similar_labels():
        typer.echo(
            f"“{first}” and “{second}” are nearly one to this model (cosine {cosine:.2f}).",
            err=True,
        )
    if evaluation is not None:
        right = sum(right for _, right, _ in evaluation.per_label())
        typer.echo(f"Right: {right} of {evaluation.total} ({evaluation.accuracy:.1%})")
        for name, right, total in evaluation.per_label():
            typer.echo(f"  {name}: {right} of {total}")


def _doubt(result: "ClassifiedPicture") -> str:
    close = result.answer.close if result.answer is not None else None
    return f" (too close to call: {' or '.join(close)})" if close else ""
