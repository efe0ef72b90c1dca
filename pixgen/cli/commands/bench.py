"""``pixgen bench``: how fast and how good, measured on this machine."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from pixgen.cli._options import AsJson, Assignments, Device, Size

bench = typer.Typer(name="bench", no_args_is_help=True, help="Measure this machine and these models.")

Preset = Annotated[str | None, typer.Option(help="Which preset.", metavar="NAME")]
Model = Annotated[str | None, typer.Option(help="What draws.", metavar="NAME")]
Clip = Annotated[list[str] | None, typer.Option(help="What looks; several look together.", metavar="NAME")]
Looking = Annotated[str, typer.Option(help="What looks.", metavar="NAME")]
Drawings = Annotated[
    Path | None,
    typer.Option(
        help="The drawings that `pixgen.training data` makes: with them, how well is measured too.",
        metavar="FOLDER",
    ),
]
Cutouts = Annotated[int | None, typer.Option(help="How many cutouts a step.", metavar="N")]


@bench.command("speed")
def _speed(
    preset: Preset = None,
    model: Model = None,
    clip: Clip = None,
    size: Size = None,
    cutouts: Cutouts = None,
    steps: Annotated[int, typer.Option(help="How many steps are measured.", min=3)] = 20,
    assignments: Assignments = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Time a step, split into its stages, beside the arithmetic that it cannot do without, and beside a
    plain loop.

    Models that are not here are measured with random weights; nothing is fetched.
    """
    _quiet()
    from pixgen.bench.speed import speed, text

    recipe = _recipe(preset, model, clip, size, cutouts, assignments)
    _print(speed(recipe, steps=steps, device=device), as_json=as_json, text=text)


@bench.command("launches")
def _launches(
    preset: Preset = None,
    model: Model = None,
    clip: Clip = None,
    size: Size = None,
    cutouts: Cutouts = None,
    microseconds: Annotated[float, typer.Option(help="That the CPU takes a launch.", min=0.1)] = 4.5,
    teraflops: Annotated[
        float, typer.Option(help="That the GPU is assumed to reach, in 10¹² operations a second.", min=0.1)
    ] = 120.0,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Count what a step tells a GPU to do, and where it would wait, without one; beside the arithmetic.

    Nothing is fetched, loaded or computed.
    """
    _quiet()
    from pixgen.bench.launches import launches, text

    recipe = _recipe(preset, model, clip, size, cutouts, assignments)
    figures = launches(recipe, microseconds=microseconds, teraflops=teraflops)
    _print(figures, as_json=as_json, text=text)


@bench.command("gpu")
def _gpu(
    out: Annotated[
        Path, typer.Option(help="Where the table goes; all figures as JSON beside it.", metavar="FILE.md")
    ] = Path("gpu.md"),
    minutes: Annotated[float, typer.Option(help="After which it ends at the latest.", min=0.2)] = 10.0,
    device: Device = "cuda",
) -> None:
    """Measure on a GPU what docs/performance.md lists as not measured yet, the most informative first.

    Models that are not here are measured with random weights; nothing is fetched.
    """
    from pixgen.bench.gpu import Result, measure, measurements, write
    from pixgen.bench.speed import device_name
    from pixgen.studio.model_cache import resolve_device

    device, results = resolve_device(device), []

    def told(result: Result) -> None:
        results.append(result)
        write(results, out, device=device_name(device))
        typer.echo(f"{result.seconds:6.1f} s  {result.what}  {result.failed}".rstrip())

    measure(measurements(device), minutes=minutes, told=told)
    typer.echo(f"The table is in {out}.")


@bench.command("memory")
def _memory(
    preset: Preset = None,
    model: Model = None,
    clip: Clip = None,
    size: Size = None,
    cutouts: Cutouts = None,
    assignments: Assignments = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Measure the most memory that a run takes, in a process of its own, beside what is foretold.

    Models that are not here are measured with random weights; nothing is fetched.
    """
    from pixgen.bench.memory import memory, text

    recipe = _recipe(preset, model, clip, size, cutouts, assignments)
    _print(memory(recipe, device=device), as_json=as_json, text=text)


@bench.command("stream")
def _stream(
    preset: Preset = None,
    model: Model = None,
    clip: Clip = None,
    size: Size = None,
    cutouts: Cutouts = None,
    steps: Annotated[int, typer.Option(help="How many steps a run.", min=10)] = 60,
    pairs: Annotated[int, typer.Option(help="How many runs each way.", min=1)] = 4,
    assignments: Assignments = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Compare painting alone with painting that is watched, filmed and kept."""
    from pixgen.bench.stream import stream, text

    recipe = _recipe(preset, model, clip, size, cutouts, assignments)
    _print(stream(recipe, steps=steps, pairs=pairs, device=device), as_json=as_json, text=text)


@bench.command("quality")
def _quality(
    preset: Preset = None,
    prompts: Annotated[int, typer.Option(help="How many captions.", min=1, max=100)] = 50,
    seeds: Annotated[int, typer.Option(help="How many pictures of each.", min=1)] = 3,
    ways: Annotated[
        list[str] | None,
        typer.Option("--way", help="Only this way, for example preset; several.", metavar="NAME"),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="Also draw what was painted for 24 captions.", metavar="FILE.png"),
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Paint captions that no model was trained on, and let a judge find them among a hundred.

    With the preset as it is, chance and sketches, alone and optimized, and each named set of cutouts.
    """
    from pixgen.bench.quality import Sheet, bundled_evaluator, painter, quality, standard_ways
    from pixgen.errors import RecipeError
    from pixgen.recipe.presets import DEFAULT, load_preset
    from pixgen.studio import resolve_device

    name, device = load_preset(preset or DEFAULT).name, resolve_device(device)
    chosen = standard_ways()
    names = [way["name"] for way in chosen]
    if unknown := next((way for way in ways or () if way not in names), None):
        raise RecipeError(
            "There is no way “{unknown}”: choose {choices}.",
            unknown=unknown,
            choices=", ".join(names),
        )
    drawn = Sheet()
    results = quality(
        [way for way in chosen if not ways or way["name"] in ways],
        judge=bundled_evaluator(device),
        paint=painter(device),
        prompts=prompts,
        seeds=seeds,
        preset=name,
        told=lambda way: typer.echo(_judged(way.as_dict()), err=as_json),
        seen=drawn.add,
    )
    if sheet is not None:
        drawn.save(sheet)
    if as_json:
        found = [way.as_dict() for way in results]
        typer.echo(json.dumps({"preset": name, "prompts": prompts, "seeds": seeds, "ways": found}))


@bench.command("search")
def _search(
    vectors: Annotated[int, typer.Option(help="How many are searched.", min=1000)] = 1_000_000,
    pictures: Annotated[
        int, typer.Option(help="How many are indexed, and searched by captions.", min=64)
    ] = 2000,
    model: Looking = "pocket",
    data: Drawings = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Time searches, exact and approximate, and indexing beside the model; count what is found."""
    from pixgen.bench.search import search, text

    figures = search(vectors=vectors, model=model, data=data, device=device, pictures=pictures)
    _print(figures, as_json=as_json, text=text)


@bench.command("classify")
def _classify(
    pictures: Annotated[int, typer.Option(help="How many are named.", min=32)] = 1000,
    model: Looking = "pocket",
    data: Drawings = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Time how pictures are named, compare with open_clip, and check the probabilities."""
    from pixgen.bench.classify import classify, text

    figures = classify(pictures=pictures, model=model, data=data, device=device)
    _print(figures, as_json=as_json, text=text)


@bench.command("gallery")
def _gallery(
    runs: Annotated[int, typer.Option(help="How many runs there are.", min=100)] = 5000,
    as_json: AsJson = False,
) -> None:
    """Time listing, filtering, searching and opening among many runs, and the page with them in Chromium."""
    from pixgen.bench.gallery import gallery, text

    _print(gallery(runs=runs), as_json=as_json, text=text)


def _judged(way: dict[str, Any]) -> str:
    return (
        f"{way['name']:>29}   first {way['first']:6.1%}   first five {way['first_five']:6.1%}   "
        f"{way['pictures']} pictures, {way['seconds']:.1f} s each"
    )


def _recipe(preset, model, clip, size, cutouts, assignments):
    from pixgen.recipe.options import Options, recipe_from

    assignments = [*(assignments or []), *([] if cutouts is None else [f"cutouts.count={cutouts}"])]
    return recipe_from(
        Options(
            prompt="a red fox on a snowy hill",
            preset=preset,
            model=model,
            clip=clip or (),
            size=size,
            seed=0,
            assignments=assignments,
        )
    )


def _quiet() -> None:
    """Before torch is loaded: its profiler has much to say that is none of a person's business."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")


def _print(figures: dict[str, Any], *, as_json: bool, text: Callable[[dict[str, Any]], str]) -> None:
    typer.echo(json.dumps(figures) if as_json else text(figures))
