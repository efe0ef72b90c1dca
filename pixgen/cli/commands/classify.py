"""``pixgen classify``: zero-shot classification of pictures with the labels that you give."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixgen.cli._options import FILTERS, MODELS, OUTPUT, RUNS, AsJson, Device, EmbeddingCluster, example
from pixgen.cli._outputs import check_target, printable
from pixgen.cli._studio import open_cluster
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

_MOST_WITH_BARS = 12  # with more pictures, each gets one line without bars
_BAR_WIDTH = 24  # characters


@example('pixgen classify photo.jpg --labels "cat, dog, red car"')
def classify(
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures, folders of them, or zips.", metavar="PICTURE…")
    ],
    labels: Annotated[
        str,
        typer.Option(
            help="Labels: “cat, dog, red car”. Default: the folders' names.",
            metavar="LABELS",
            rich_help_panel=FILTERS,
        ),
    ] = "",
    label_set: Annotated[
        str | None,
        typer.Option(
            help="A set of labels: cifar10, imagenet, emoji-animals, …, or a file of labels.",
            metavar="NAME",
            rich_help_panel=FILTERS,
        ),
    ] = None,
    templates: Annotated[
        str,
        typer.Option(
            help="Prompt templates: none, photo, drawing, seven, eighty, …, or your own: “a photo of a {}”.",
            metavar="NAME",
            rich_help_panel=FILTERS,
        ),
    ] = "",
    top: Annotated[
        int, typer.Option(help="Labels shown per picture.", min=1, metavar="N", rich_help_panel=OUTPUT)
    ] = 5,
    several: Annotated[
        bool,
        typer.Option("--multi", help="Multi-label: score each label by itself.", rich_help_panel=FILTERS),
    ] = False,
    none_below: Annotated[
        float | None,
        typer.Option(
            help="“None of these” if the best similarity is below X.", metavar="X", rich_help_panel=FILTERS
        ),
    ] = None,
    or_else: Annotated[
        bool,
        typer.Option(
            "--or-else", help="“None of these” if something else fits better.", rich_help_panel=FILTERS
        ),
    ] = False,
    temperature: Annotated[
        float | None,
        typer.Option(
            help="Temperature of the softmax. Default: the model's own.", metavar="X", rich_help_panel=MODELS
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="CLIP: pocket, or open_clip's ViT-B-32/laion2b_s34b_b79k. Several vote together.",
            metavar="NAME",
            rich_help_panel=MODELS,
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Also write a table here.", metavar="FILE.csv", rich_help_panel=OUTPUT)
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            help="Draw here which parts of the picture led to a label.",
            metavar="OUT.png",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--for",
            help="The label to explain. Default: the best one.",
            metavar="LABEL",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Let --csv and --explain replace existing files.", rich_help_panel=OUTPUT
        ),
    ] = False,
    device: Device = "auto",
    output_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where “labels”, the folder of your label sets, is. Default: $PIXGEN_OUTPUT_DIR, else ./outputs.",
            metavar="FOLDER",
            rich_help_panel=RUNS,
        ),
    ] = None,
    cluster: EmbeddingCluster = None,
    as_json: AsJson = False,
) -> None:
    """Classify pictures with the labels that you give (zero-shot, by CLIP)."""
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
        raise ClassifyError("--explain needs exactly one picture: there are {count}.", count=len(sources))
    with Studio(output_dir, device=device) as studio:
        classifiers = ClassifierService(studio)
        question = make_question(
            sources,
            models,
            labels=labels,
            label_set=_read_label_set(classifiers, label_set) if label_set else None,
            templates=templates,
            several=several,
            none_below=none_below,
            or_else=or_else,
            temperature=temperature,
        )
        classifier = classifiers.classifier(question, models)
        results = _show_progress(classifiers, classifier, models, sources, cluster=cluster)
        if all(result.answer is None for result in results):
            raise ClassifyError(results[0].error)
        if explain is not None:
            best = label or results[0].answer.top(1)[0].label
            _explain(classifiers, classifier, models, sources[0], label=best, path=explain)
        if csv is not None:
            write_bytes(csv, encode_table(results_to_csv(results, top=top)))
    evaluation = evaluate(results, question.labels)
    if as_json:
        _print_json(results, evaluation, top)
    else:
        _print_results(results, evaluation, top, classifier)


def _read_label_set(classifiers: "ClassifierService", name: str) -> "LabelSet":
    """A label set by its name, or from a file: JSON, or labels as they are typed."""
    from pixgen.vision.zeroshot.labels import FILES, read_label_set

    path = expand(name)
    return read_label_set(path) if path.suffix.lower() in FILES else classifiers.load(name)


def _show_progress(
    classifiers: "ClassifierService",
    classifier: "Classifier",
    models: tuple[str, ...],
    sources: "Sequence[Source]",
    *,
    cluster: str | None,
) -> "list[ClassifiedPicture]":
    """Classify all pictures, here or on a cluster; a terminal shows how many are done."""
    from rich.console import Console

    results: list = []
    with ExitStack() as stack:
        embedded = None
        if cluster:
            connection = stack.enter_context(open_cluster(cluster))
            from pixgen.cluster.data import prepare_sources

            embedded = prepare_sources(connection, models, sources)
        status = stack.enter_context(Console(stderr=True, highlight=False).status("Classifying"))
        for batch in classifiers.classify(classifier, models, sources, embedded=embedded):
            results += batch
            status.update(f"{len(results)} of {len(sources)} pictures")
    return results


def _explain(
    classifiers: "ClassifierService",
    classifier: "Classifier",
    models: tuple[str, ...],
    source: "Source",
    *,
    label: str,
    path: Path,
) -> None:
    from pixgen.studio.storage import atomic_write
    from pixgen.vision.zeroshot.explain import overlay

    picture = source.open()
    heat = classifiers.explain(classifier, models, picture, label=label)
    with atomic_write(path) as temporary:
        overlay(picture, heat).save(temporary, "PNG")


def _print_json(results: "list[ClassifiedPicture]", evaluation: "Evaluation | None", top: int) -> None:
    from pixgen.vision.zeroshot.evaluation import evaluation_to_dict, results_to_dicts

    for value in results_to_dicts(results, top=top):
        typer.echo(json.dumps(value, ensure_ascii=False))
    if evaluation is not None:
        typer.echo(json.dumps({"evaluation": evaluation_to_dict(evaluation)}, ensure_ascii=False))


def _print_results(
    results: "list[ClassifiedPicture]", evaluation: "Evaluation | None", top: int, classifier: "Classifier"
) -> None:
    from pixgen.vision.zeroshot.evaluation import summary

    for result in results:
        typer.echo(
            f"{printable(result.name)}: {printable(summary(result) or result.error)}{_ambiguity_note(result)}"
        )
        if len(results) <= _MOST_WITH_BARS and result.answer is not None:
            for score in result.answer.top(top):
                bar = "█" * round(score.probability * _BAR_WIDTH)
                typer.echo(
                    f"  {score.probability:6.1%} {bar:{_BAR_WIDTH}} {score.label}  (similarity {score.cosine:.3f})"
                )
    for first, second, cosine in classifier.similar_labels():
        typer.echo(
            f"“{first}” and “{second}” are almost the same to this model (similarity {cosine:.2f}).",
            err=True,
        )
    if evaluation is not None:
        right = sum(right for _, right, _ in evaluation.per_label())
        typer.echo(f"Correct: {right} of {evaluation.total} ({evaluation.accuracy:.1%})")
        for name, right, total in evaluation.per_label():
            typer.echo(f"  {name}: {right} of {total}")


def _ambiguity_note(result: "ClassifiedPicture") -> str:
    close = result.answer.close if result.answer is not None else None
    return f" (too close to call: {' or '.join(close)})" if close else ""
