"""What to know of a prompt before it is painted, in a line: words never seen, and what is not read."""

# MERGED pixgen.commands.generate: ``pixgen generate``: paint a picture, and keep it whatever happens.
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixgen.cli._downloads import use_models_dir
from pixgen.cli._jobs import only_with_resume, paint
from pixgen.cli._options import (
    AsJsonLines,
    Assignments,
    Augment,
    Device,
    FilmToo,
    ModelsDir,
    Negative,
    OutputDir,
    OverwriteBoth,
    Picture,
    Preset,
    Resume,
    Seed,
    Size,
    Styles,
    setting_option,
)
from pixgen.errors import RecipeError
from pixgen.recipe.recipe import Recipe

if TYPE_CHECKING:
    from pixgen.recipe.recipe import Recipe
    from pixgen.studio import Job, Studio


_LONGEST = 60  # characters of what is not read


def reading_notes(recipe: Recipe) -> Iterable[str]:
    """A sentence at most about how the bundled models read a recipe's prompts; none where others look."""
    if "pocket" not in recipe.clip_names:
        return
    from pixgen.studio.prompt_help import read_scenes

    reading = read_scenes(recipe.prompts, sketched=_by_pocket(recipe))
    said = []
    if reading.unknown:
        words = (
            f"“{word}”" + (f" (near: {', '.join(near)})" if near else "") for word, near in reading.unknown
        )
        said.append(f"the bundled models have never seen {', '.join(words)}")
    if reading.lost:
        said.append(f"CLIP reads {reading.places} tokens, and not “{_short(reading.lost[0])}”")
    if reading.unsketched:
        said.append(f"the sketcher does not read “{_short(reading.unsketched[0])}”")
    if said:
        yield f"Note: {'; '.join(said)}."


def _by_pocket(recipe: Recipe) -> bool:
    return recipe.init.needs_sketcher and recipe.init.sketch.model == "pocket"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def generate(
    context: typer.Context,
    prompt: Annotated[
        str | None,
        typer.Argument(help="What to paint: “a red fox | snow:0.5”, scenes with ^, pictures as [PATH]."),
    ] = None,
    negative: Negative = None,
    style: Styles = None,
    preset: Preset = None,
    size: Size = None,
    steps: Annotated[
        int | None, setting_option("steps", metavar="N", more="With --resume the new total.")
    ] = None,
    seed: Seed = None,
    out: Picture = None,
    video: FilmToo = None,
    overwrite: OverwriteBoth = False,
    no_metadata: Annotated[
        bool,
        typer.Option("--no-metadata", help="Picture and film carry no recipe; the run's folder keeps it."),
    ] = False,
    model: Annotated[
        str | None, setting_option("model", metavar="NAME", more="`pixgen models` lists them.")
    ] = None,
    config: Annotated[
        Path | None,
        setting_option("config", metavar="FILE.yaml", before="With --model PATH."),
    ] = None,
    models_dir: ModelsDir = None,
    clip: Annotated[
        list[str] | None,
        setting_option(
            "clip",
            metavar="NAME",
            more="Or the path of your own: OpenAI's or open_clip's checkpoint, or a folder of open_clip's or Hugging "
            "Face's; ViT-H-14:PATH tells an architecture.",
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="How to start: sketch (or dalle), codes, perlin, gradient, snow, grey, picture:PATH, "
            "variation:PATH, or idea:TERMS such as “idea:[a.png] | winter | summer:-1”.",
            metavar="KIND",
        ),
    ] = None,
    sketcher: Annotated[
        str | None,
        setting_option(
            "init.sketch.model",
            metavar="NAME",
            more="`pixgen models list --kind sketcher` lists them.",
        ),
    ] = None,
    strength: Annotated[
        float | None,
        setting_option("init.strength", metavar="PART", before="With --init picture:PATH."),
    ] = None,
    mask: Annotated[
        Path | None,
        setting_option("init.mask", metavar="FILE", before="With --init picture:PATH."),
    ] = None,
    extend: Annotated[
        str | None,
        setting_option("init.extend", metavar="SIDE", before="With --init picture:PATH."),
    ] = None,
    grow: Annotated[
        str | None,
        setting_option("grow.at", metavar="PARTS", more="0.9, or 0.5,0.85 from a quarter; never."),
    ] = None,
    story: Annotated[
        Path | None,
        typer.Option(
            help="Scenes as a table instead of a prompt: CSV or JSON with from (a step), prompt, weight "
            "and easing.",
            metavar="FILE",
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="Where a prompt applies: 2=left (right, top, bottom, centre), or 2=PICTURE, white "
            "where the second prompt applies. The same in the words: “a fox @left”.",
            metavar="N=WHERE",
        ),
    ] = None,
    augment: Augment = None,
    assignments: Assignments = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="Repeat the recipe in a PNG, MP4 or JSON file; other options win over it.",
            metavar="FILE",
        ),
    ] = None,
    resume: Resume = None,
    device: Device = "auto",
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Paint a picture from words.

    Ctrl-C stops and keeps picture, film and state; --resume goes on from there. With more --steps a
    finished picture goes on as another run.
    """
    from pixgen.cli._outputs import Outputs
    from pixgen.cli._progress import report_for
    from pixgen.recipe.options import Options, find_mistyped_weights, recipe_from
    from pixgen.recipe.prompts import find_ambiguous_weights

    use_models_dir(models_dir)
    report = report_for(as_json)
    outputs = Outputs(picture=out, film=video, overwrite=overwrite)
    outputs.check()
    where: dict[str, Any] = {
        "output_dir": output_dir,
        "device": device,
        "outputs": outputs,
        "report": report,
    }
    if resume is not None:
        only_with_resume(
            context,
            "steps",
            "out",
            "video",
            "models_dir",
            why="the run's own recipe: only --steps, --out, --video, --overwrite, --device, --output-dir and "
            "--json go with it.",
        )
        paint(lambda studio, run: studio.resume(run, steps=steps), run=resume, **where)
    wanted = recipe_from(
        Options.typed(
            prompt=prompt, styles=style, negative=negative, recipe=_read(recipe), preset=preset, size=size,
            steps=steps, seed=seed, model=model, config=config, clip=clip, init=init, sketcher=sketcher,
            mask=mask, extend=extend, strength=strength, grow=grow, regions=region, story=_rows(story),
            augment=augment, assignments=assignments,
        )
    )  # fmt: skip
    if sketcher is not None and not wanted.needs_sketcher:
        raise RecipeError(
            "--sketcher goes with a start that is sketched, and this one is {kind}: add --init sketch.",
            kind=wanted.init.kind,
        )
    for end in find_mistyped_weights(prompt or ""):
        report.note(f"“:{end}” is not a number, so it is painted as text; a weight looks like :0.5.")
    for end in find_ambiguous_weights(prompt or ""):
        report.note(f"“{end}” is painted as text; with a space before the colon, the number is a weight.")

    for sentence in reading_notes(wanted):
        report.note(sentence)

    def begin(studio: "Studio", run: str) -> "Job":
        from pixgen.studio.memory_check import warning

        if said := warning(wanted, studio.device):
            report.note(said)
        return studio.submit(wanted, metadata=not no_metadata)

    paint(begin, **where)


def _rows(path: Path | None) -> Sequence[Mapping[str, Any]]:
    if path is None:
        return ()
    from pixgen.recipe.story import read_rows

    return read_rows(path)


def _read(path: Path | None) -> "Recipe | None":
    if path is None:
        return None
    from pixgen.studio.metadata.metadata import read_metadata

    return read_metadata(path)
