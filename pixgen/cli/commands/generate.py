"""``pixgen generate``: paint a picture from a prompt, or continue one; whatever happens, it is kept.

Before painting, notes name the words that the bundled models do not know, and the text that they do not read.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixgen.cli._downloads import use_models_dir
from pixgen.cli._jobs import reject_options_beside_resume, run_job
from pixgen.cli._options import (
    MODELS,
    OUTPUT,
    PICTURE,
    PROMPT,
    START,
    AsJsonLines,
    Assignments,
    Audio,
    Augment,
    Device,
    Language,
    ModelsDir,
    Negative,
    OutputDir,
    OverwriteBoth,
    PictureOut,
    Preset,
    Resume,
    Seed,
    Size,
    Styles,
    Video,
    example,
    setting_option,
)
from pixgen.errors import RecipeError
from pixgen.recipe.recipe import Recipe

if TYPE_CHECKING:
    from pixgen.recipe.recipe import Recipe
    from pixgen.studio import Job, Studio


_LONGEST_QUOTE = 60  # characters of text that is not read


def prompt_notes(recipe: Recipe) -> Iterable[str]:
    """How the bundled models read the prompts: translations, and words and text that they do not read; nothing
    for other CLIPs."""
    if "pocket" not in recipe.clip_names:
        return
    from pixgen.recipe.prompts import replace_texts
    from pixgen.studio.prompt_help import check_scenes

    for typed, english in recipe.translations:
        yield f"“{_shorten(typed)}” is read as “{english}” (--language en leaves it as it is)."
    scenes = replace_texts(recipe.prompts, dict(recipe.translations))
    reading = check_scenes(scenes, sketched=_drafted_by_pocket(recipe))
    notes = []
    if reading.unknown:
        words = (
            f"“{word}”" + (f" (near: {', '.join(near)})" if near else "") for word, near in reading.unknown
        )
        notes.append(f"not in the bundled models' vocabulary: {', '.join(words)}")
    if reading.truncated:
        notes.append(f"CLIP reads {reading.limit} tokens and ignores “{_shorten(reading.truncated[0])}”")
    if reading.truncated_for_sketch:
        notes.append(f"the sketch model ignores “{_shorten(reading.truncated_for_sketch[0])}”")
    if notes:
        yield f"Note: {'; '.join(notes)}."


def _drafted_by_pocket(recipe: Recipe) -> bool:
    return recipe.init.needs_sketcher and recipe.init.sketch.model == "pocket"


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


@example('pixgen generate "a red fox on a snowy hill" --preset best --seed 7 --out fox.png')
def generate(
    context: typer.Context,
    prompt: Annotated[
        str | None,
        typer.Argument(help="Prompt: “a red fox | snow:0.5”, scenes separated by ^, pictures as [PATH]."),
    ] = None,
    negative: Negative = None,
    language: Language = "auto",
    style: Styles = None,
    preset: Preset = None,
    size: Size = None,
    steps: Annotated[
        int | None, setting_option("steps", panel=PICTURE, metavar="N", more="With --resume: the new total.")
    ] = None,
    seed: Seed = None,
    out: PictureOut = None,
    video: Video = None,
    overwrite: OverwriteBoth = False,
    no_metadata: Annotated[
        bool,
        typer.Option(
            "--no-metadata",
            help="Write no recipe into the picture and the video; the run's folder keeps it.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    model: Annotated[
        str | None, setting_option("model", panel=MODELS, metavar="NAME", more="`pixgen models` lists them.")
    ] = None,
    config: Annotated[
        Path | None,
        setting_option("config", panel=MODELS, metavar="FILE.yaml", more="Only with --model PATH."),
    ] = None,
    models_dir: ModelsDir = None,
    clip: Annotated[
        list[str] | None,
        setting_option(
            "clip",
            panel=MODELS,
            metavar="NAME",
            more="Or the path of your own: a checkpoint of OpenAI's or open_clip's, or a folder of open_clip's or "
            "Hugging Face's. ViT-H-14:PATH names the architecture.",
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="Starting point: sketch (or dalle), codes, perlin, gradient, snow, grey, picture:PATH, "
            "variation:PATH, or idea:TERMS such as “idea:\\[a.png] | winter | summer:-1”.",
            metavar="KIND",
            rich_help_panel=START,
        ),
    ] = None,
    sketcher: Annotated[
        str | None,
        setting_option(
            "init.sketch.model",
            panel=START,
            metavar="NAME",
            more="`pixgen models list --kind sketcher` lists them.",
        ),
    ] = None,
    strength: Annotated[
        float | None,
        setting_option("init.strength", panel=START, metavar="N", more="Only with --init picture:PATH."),
    ] = None,
    mask: Annotated[
        Path | None,
        setting_option("init.mask", panel=START, metavar="FILE", more="Only with --init picture:PATH."),
    ] = None,
    extend: Annotated[
        str | None,
        setting_option("init.extend", panel=START, metavar="SIDE", more="Only with --init picture:PATH."),
    ] = None,
    grow: Annotated[
        str | None,
        setting_option(
            "grow.at",
            panel=PICTURE,
            metavar="PARTS",
            more="For example 0.9; 0.5,0.85 starts at a quarter of the size; or never.",
        ),
    ] = None,
    story: Annotated[
        Path | None,
        typer.Option(
            help="A table of scenes instead of a prompt: CSV or JSON with the columns from (a step), prompt, "
            "weight and easing.",
            metavar="FILE",
            rich_help_panel=PROMPT,
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            help="Where a prompt applies: 2=left (right, top, bottom, centre), or 2=PICTURE, which is white "
            "where the second prompt applies. In the prompt itself: “a fox @left”.",
            metavar="N=WHERE",
            rich_help_panel=PROMPT,
        ),
    ] = None,
    audio: Audio = None,
    wall: Annotated[str | None, setting_option("wall.kind", panel=PICTURE, metavar="KIND")] = None,
    overlay: Annotated[
        Path | None,
        setting_option("overlay.picture", panel=PICTURE, metavar="FILE", more="Blended in every 10 steps."),
    ] = None,
    lookup: Annotated[
        Path | None, setting_option("colouring.lookup", panel=PICTURE, metavar="FILE.cube")
    ] = None,
    colours_of: Annotated[
        Path | None, setting_option("colouring.picture", panel=PICTURE, metavar="FILE")
    ] = None,
    augment: Augment = None,
    assignments: Assignments = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="Repeat the recipe in a PNG, MP4 or JSON file; other options change it.",
            metavar="FILE",
            rich_help_panel=PROMPT,
        ),
    ] = None,
    resume: Resume = None,
    device: Device = "auto",
    output_dir: OutputDir = None,
    as_json: AsJsonLines = False,
) -> None:
    """Paint a picture from a prompt.

    Ctrl-C stops and keeps picture, video and state; --resume continues from there. With more --steps, a
    finished picture continues as a new run.
    """
    from pixgen.cli._jobs import make_report
    from pixgen.cli._outputs import Outputs
    from pixgen.recipe.options import Options, find_mistyped_weights, recipe_from
    from pixgen.recipe.prompts import find_ambiguous_weights, find_unfinished

    use_models_dir(models_dir)
    report = make_report(as_json)
    outputs = Outputs(picture=out, video=video, overwrite=overwrite)
    outputs.check()
    target: dict[str, Any] = {
        "output_dir": output_dir,
        "device": device,
        "outputs": outputs,
        "report": report,
    }
    if resume is not None:
        reject_options_beside_resume(
            context,
            "steps",
            "out",
            "video",
            "models_dir",
            why="the run's own recipe: it can be combined only with --steps, --out, --video, --overwrite, "
            "--device, --output-dir and --json.",
        )
        run_job(lambda studio, run: studio.resume(run, steps=steps), run=resume, **target)
    planned = recipe_from(
        Options.typed(
            prompt=prompt,
            language=language,
            styles=style,
            negative=negative,
            recipe=_read_recipe(recipe),
            preset=preset,
            size=size,
            steps=steps,
            seed=seed,
            model=model,
            config=config,
            clip=clip,
            init=init,
            sketcher=sketcher,
            mask=mask,
            extend=extend,
            strength=strength,
            grow=grow,
            regions=region,
            story=_read_story(story),
            augment=augment,
            audio=audio,
            wall=wall,
            overlay=overlay,
            lookup=lookup,
            colours_of=colours_of,
            assignments=assignments,
        )
    )
    if sketcher is not None and not planned.needs_sketcher:
        raise RecipeError(
            "--sketcher needs a starting point that is a sketch, and this one is {kind}: add --init sketch.",
            kind=planned.init.kind,
        )
    for end in find_mistyped_weights(prompt or ""):
        report.note(f"“:{end}” is not a number and is painted as text. A weight looks like :0.5.")
    for end in find_ambiguous_weights(prompt or ""):
        report.note(f"“{end}” is painted as text. With a space before the colon, the number is a weight.")
    for each in find_unfinished(prompt or ""):
        report.note(
            f"“{each}” is painted as text. A direction has words on both sides, day -> night; a region ends its "
            "prompt, snow @[the hill]."
        )

    for sentence in prompt_notes(planned):
        report.note(sentence)

    def begin(studio: "Studio", run: str) -> "Job":
        from pixgen.studio.memory_check import memory_warning

        if sentence := memory_warning(planned, studio.device):
            report.note(sentence)
        return studio.submit(planned, metadata=not no_metadata)

    run_job(begin, **target)


def _read_story(path: Path | None) -> Sequence[Mapping[str, Any]]:
    if path is None:
        return ()
    from pixgen.recipe.story import read_rows

    return read_rows(path)


def _read_recipe(path: Path | None) -> "Recipe | None":
    if path is None:
        return None
    from pixgen.studio.metadata.picture_info import read_metadata

    return read_metadata(path)
