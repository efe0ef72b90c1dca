"""``pixgen bench``: measure speed, memory and quality on this machine."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixgen.cli._options import MODELS, OUTPUT, PICTURE, RUNS, AsJson, Assignments, Device, Size, example

if TYPE_CHECKING:
    from pixgen.recipe.recipe import Recipe

bench = typer.Typer(
    name="bench",
    no_args_is_help=True,
    help="Measure speed, memory and quality on this machine.",
    epilog="Example: pixgen bench speed --preset balanced",
)

Preset = Annotated[
    str | None, typer.Option(help="Quality: the name of a preset.", metavar="NAME", rich_help_panel=PICTURE)
]
Model = Annotated[str | None, typer.Option(help="Image model.", metavar="NAME", rich_help_panel=MODELS)]
Clip = Annotated[
    list[str] | None,
    typer.Option(
        help="Guidance model (CLIP). Several guide together.", metavar="NAME", rich_help_panel=MODELS
    ),
]
OneClip = Annotated[str, typer.Option(help="The CLIP to measure.", metavar="NAME", rich_help_panel=MODELS)]
Drawings = Annotated[
    Path | None,
    typer.Option(
        help="The drawings that `python -m pixgen.training data` makes: with them, quality is measured too.",
        metavar="FOLDER",
        rich_help_panel=RUNS,
    ),
]
Cutouts = Annotated[int | None, typer.Option(help="Cutouts per step.", metavar="N", rich_help_panel=PICTURE)]


@bench.command("speed")
@example("pixgen bench speed --preset balanced --steps 10")
def _speed(
    preset: Preset = None,
    model: Model = None,
    clip: Clip = None,
    size: Size = None,
    cutouts: Cutouts = None,
    steps: Annotated[int, typer.Option(help="Steps to measure.", min=3, rich_help_panel=PICTURE)] = 20,
    assignments: Assignments = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Time a step and its stages, beside the least arithmetic it needs and a plain loop.

    Models that are not downloaded are measured with random weights; nothing is fetched.
    """
    _silence_torch_logs()
    from pixgen.bench.speed import speed, text

    recipe = _recipe(preset, model, clip, size, cutouts, assignments)
    _print(speed(recipe, steps=steps, device=device), as_json=as_json, text=text)


@bench.command("languages")
@example("pixgen bench languages")
def _languages(as_json: AsJson = False) -> None:
    """Measure how well prompts in twenty languages are understood, by the names of a hundred things."""
    from pixgen.bench.prompts import languages, languages_text

    _print(languages(), as_json=as_json, text=languages_text)


@bench.command("prompts")
@example("pixgen bench prompts PartiPrompts.tsv")
def _prompts(
    file: Annotated[
        Path,
        typer.Argument(help="A prompt a line, or a table with the column Prompt."),
    ],
    as_json: AsJson = False,
) -> None:
    """Measure how much of the prompts in a file the bundled models understand. Nothing is painted."""
    from pixgen.bench.prompts import prompts, prompts_text, read_prompts

    _print(prompts(read_prompts(file)), as_json=as_json, text=prompts_text)


@bench.command("launches")
@example("pixgen bench launches --model imagenet-16384 --clip ViT-B-32 --size 512")
def _launches(
    preset: Preset = None,
    model: Model = None,
    clip: Clip = None,
    size: Size = None,
    cutouts: Cutouts = None,
    microseconds: Annotated[
        float, typer.Option(help="Time that the CPU takes for a launch.", min=0.1, rich_help_panel=RUNS)
    ] = 4.5,
    teraflops: Annotated[
        float,
        typer.Option(
            help="Speed that the GPU is assumed to reach, in 10¹² operations a second.",
            min=0.1,
            rich_help_panel=RUNS,
        ),
    ] = 120.0,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Count the kernel launches and waits of a step on a GPU, without having one.

    The table shows them beside the arithmetic. Nothing is fetched, loaded or computed.
    """
    _silence_torch_logs()
    from pixgen.bench.launches import launches, text

    recipe = _recipe(preset, model, clip, size, cutouts, assignments)
    figures = launches(recipe, microseconds=microseconds, teraflops=teraflops)
    _print(figures, as_json=as_json, text=text)


@bench.command("gpu")
@example("pixgen bench gpu --minutes 10 --out gpu.md")
def _gpu(
    out: Annotated[
        Path,
        typer.Option(
            help="Where to write the table; all figures go into a JSON file beside it.",
            metavar="FILE.md",
            rich_help_panel=OUTPUT,
        ),
    ] = Path("gpu.md"),
    minutes: Annotated[float, typer.Option(help="Time limit.", min=0.2, rich_help_panel=RUNS)] = 10.0,
    device: Device = "cuda",
) -> None:
    """Measure on a GPU what the documentation lists as not measured yet, the most important first.

    Models that are not downloaded are measured with random weights; nothing is fetched.
    """
    from pixgen.bench.gpu import Result, measure, measurements, write_table
    from pixgen.bench.speed import device_name
    from pixgen.studio.model_cache import resolve_device

    device, results = resolve_device(device), []

    def report(result: Result) -> None:
        results.append(result)
        write_table(results, out, device=device_name(device))
        typer.echo(f"{result.seconds:6.1f} s  {result.what}  {result.failed}".rstrip())

    measure(measurements(device), minutes=minutes, report=report)
    typer.echo(f"The table is in {out}.")


@bench.command("kornia")
@example("pixgen bench kornia --rounds 15")
def _kornia(
    rounds: Annotated[
        int, typer.Option(help="How often each function is timed.", min=3, rich_help_panel=RUNS)
    ] = 15,
    as_json: AsJson = False,
) -> None:
    """Time pixgen's own code beside kornia's function for the same, forward and backward."""
    from pixgen.bench.kornia_functions import kornia_functions, text

    _print(kornia_functions(rounds=rounds), as_json=as_json, text=text)


@bench.command("memory")
@example("pixgen bench memory --size 512")
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
    """Measure the peak memory of a run in a separate process, beside the estimate.

    Models that are not downloaded are measured with random weights; nothing is fetched.
    """
    from pixgen.bench.memory import memory, text

    recipe = _recipe(preset, model, clip, size, cutouts, assignments)
    _print(memory(recipe, device=device), as_json=as_json, text=text)


@bench.command("stream")
@example("pixgen bench stream --pairs 2")
def _stream(
    preset: Preset = None,
    model: Model = None,
    clip: Clip = None,
    size: Size = None,
    cutouts: Cutouts = None,
    steps: Annotated[int, typer.Option(help="Steps per run.", min=10, rich_help_panel=PICTURE)] = 60,
    pairs: Annotated[
        int, typer.Option(help="Pairs of runs, one watched and one not.", min=1, rich_help_panel=RUNS)
    ] = 4,
    assignments: Assignments = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Measure the overhead of live previews: steps per second with and without a watcher."""
    from pixgen.bench.stream import stream, text

    recipe = _recipe(preset, model, clip, size, cutouts, assignments)
    _print(stream(recipe, steps=steps, pairs=pairs, device=device), as_json=as_json, text=text)


@bench.command("load")
@example("pixgen bench load --people 50 --jobs 500 --json")
def _load(
    people: Annotated[int, typer.Option(help="People at once.", min=1, max=500, rich_help_panel=RUNS)] = 10,
    jobs: Annotated[int, typer.Option(help="Pictures in all.", min=1, rich_help_panel=RUNS)] = 40,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Load a public page with people who paint, watch and stop tiny pictures at once.

    Checks that each gets the own picture or a sentence, and measures waits, estimates, stops and memory.
    """
    from pixgen.bench.load import load, text

    _print(load(people=people, jobs=jobs, device=device), as_json=as_json, text=text)


@bench.command("scale")
@example("pixgen bench scale --workers 1,2 --steps 20")
def _scale(
    preset: Preset = None,
    model: Model = None,
    clip: Clip = None,
    size: Size = None,
    cutouts: Cutouts = None,
    steps: Annotated[int, typer.Option(help="Steps per run.", min=10, rich_help_panel=PICTURE)] = 20,
    workers: Annotated[
        str,
        typer.Option(
            help="Numbers of workers to compare, with one core each.", metavar="N,N…", rich_help_panel=RUNS
        ),
    ] = "1,2",
    pictures: Annotated[
        int,
        typer.Option(
            help="Pictures that each worker paints in each of three rounds.", min=1, rich_help_panel=PICTURE
        ),
    ] = 2,
    save_every: Annotated[
        float, typer.Option(help="Seconds between two checkpoints.", min=0.1, rich_help_panel=RUNS)
    ] = 2.0,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Measure painting on a Ray cluster of this machine's cores.

    Pictures a minute and efficiency, seconds from Stop to stopped, the overhead of a step through Ray, and the seconds
    that a killed node costs.
    """
    from pixgen.bench.scale import read_counts, scale, text
    from pixgen.cli._studio import require_ray

    require_ray()
    recipe = _recipe(preset, model, clip, size, cutouts, assignments)
    recipe = recipe.model_copy(update={"steps": steps})
    figures = scale(recipe, workers=read_counts(workers), pictures=pictures, save_every=save_every)
    _print(figures, as_json=as_json, text=text)


@bench.command("quality")
@example("pixgen bench quality --variant preset --prompts 20")
def _quality(
    preset: Preset = None,
    prompts: Annotated[
        int, typer.Option(help="Number of captions.", min=1, max=100, rich_help_panel=PICTURE)
    ] = 50,
    seeds: Annotated[int, typer.Option(help="Pictures per caption.", min=1, rich_help_panel=PICTURE)] = 3,
    variants: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            help="Only this variant, for example preset. Can be given several times.",
            metavar="NAME",
            rich_help_panel=PICTURE,
        ),
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="Also draw a sheet of the pictures of 24 captions.",
            metavar="FILE.png",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Paint captions that no model was trained on, and count how often another CLIP finds the right one.

    The variants: the preset, random and sketched starting points with and without optimization, and each named
    cutout set.
    """
    from pixgen.bench.quality import Sheet, bundled_evaluator, make_painter, quality, standard_variants
    from pixgen.errors import RecipeError
    from pixgen.recipe.presets import DEFAULT, load_preset
    from pixgen.studio import resolve_device

    name, device = load_preset(preset or DEFAULT).name, resolve_device(device)
    chosen = standard_variants()
    names = [variant["name"] for variant in chosen]
    if unknown := next((variant for variant in variants or () if variant not in names), None):
        raise RecipeError(
            "There is no variant “{unknown}”: choose {choices}.",
            unknown=unknown,
            choices=", ".join(names),
        )
    pictures = Sheet()
    results = quality(
        [variant for variant in chosen if not variants or variant["name"] in variants],
        evaluator=bundled_evaluator(device),
        paint=make_painter(device),
        prompts=prompts,
        seeds=seeds,
        preset=name,
        report=lambda variant: typer.echo(_format_variant(variant.as_dict()), err=as_json),
        on_picture=pictures.add,
    )
    if sheet is not None:
        pictures.save(sheet)
    if as_json:
        found = [variant.as_dict() for variant in results]
        typer.echo(json.dumps({"preset": name, "prompts": prompts, "seeds": seeds, "ways": found}))


@bench.command("search")
@example("pixgen bench search --vectors 100000")
def _search(
    vectors: Annotated[
        int, typer.Option(help="Number of vectors to search.", min=1000, rich_help_panel=PICTURE)
    ] = 1_000_000,
    pictures: Annotated[
        int,
        typer.Option(
            help="Number of pictures to index and to search by caption.", min=64, rich_help_panel=PICTURE
        ),
    ] = 2000,
    model: OneClip = "pocket",
    data: Drawings = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Time exact and approximate search and indexing, and measure recall."""
    from pixgen.bench.search import search, text

    figures = search(vectors=vectors, model=model, data=data, device=device, pictures=pictures)
    _print(figures, as_json=as_json, text=text)


@bench.command("classify")
@example("pixgen bench classify --pictures 200")
def _classify(
    pictures: Annotated[
        int, typer.Option(help="Number of pictures.", min=32, rich_help_panel=PICTURE)
    ] = 1000,
    model: OneClip = "pocket",
    data: Drawings = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Time classification, compare it with open_clip, and check the probabilities."""
    from pixgen.bench.classify import classify, text

    figures = classify(pictures=pictures, model=model, data=data, device=device)
    _print(figures, as_json=as_json, text=text)


@bench.command("gallery")
@example("pixgen bench gallery --runs 1000")
def _gallery(
    runs: Annotated[int, typer.Option(help="Number of runs.", min=100, rich_help_panel=PICTURE)] = 5000,
    as_json: AsJson = False,
) -> None:
    """Time listing, filtering, searching and opening many runs, and the page in Chromium."""
    from pixgen.bench.gallery import gallery, text

    _print(gallery(runs=runs), as_json=as_json, text=text)


def _format_variant(variant: dict[str, Any]) -> str:
    return (
        f"{variant['name']:>29}   first {variant['first']:6.1%}   first five {variant['first_five']:6.1%}   "
        f"{variant['pictures']} pictures, {variant['seconds']:.1f} s each"
    ) + "".join(
        f"\n{'':>29}   place {missed['place']}, seed {missed['seed']}: {missed['caption']}"
        for missed in variant["missed"]
    )


def _recipe(
    preset: str | None,
    model: str | None,
    clip: list[str] | None,
    size: str | None,
    cutouts: int | None,
    assignments: list[str] | None,
) -> "Recipe":
    """The recipe to measure: a preset with these options over it."""
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


def _silence_torch_logs() -> None:
    """Silence the log of torch's profiler; it is read when torch is first loaded."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")


def _print(figures: dict[str, Any], *, as_json: bool, text: Callable[[dict[str, Any]], str]) -> None:
    typer.echo(json.dumps(figures) if as_json else text(figures))
