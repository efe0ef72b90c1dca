"""The options that several commands share, as types: each says the same everywhere.

What an option of a recipe's setting says comes from the setting's own field, by ``setting_option``.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from pixgen.recipe.base import find_setting
from pixgen.recipe.recipe import Recipe


def setting_option(
    path: str, *names: str, metavar: str | None = None, before: str = "", more: str = ""
) -> Any:
    """The option of a recipe's setting, such as ``journey.zoom``; its help is the setting's own.

    Args:
        names: the option's, where they are not the parameter's.
        metavar: by default the setting's example.
        before, more: what the command has to say beside.
    """
    setting = find_setting(Recipe, path)
    said = " ".join(filter(None, (before, setting.help, more)))
    return typer.Option(*names, help=said, metavar=metavar or setting.example or None)


# What to paint
Negative = Annotated[
    list[str] | None,
    typer.Option(help="What to keep away from, several with |.", metavar="TEXT"),
]
Styles = Annotated[
    list[str] | None,
    typer.Option(
        "--style",
        help="Words around the prompt's: a style's name, or a JSON file; several combine. `pixgen styles` "
        "lists them.",
        metavar="NAME",
    ),
]
Preset = Annotated[
    str | None, typer.Option(help="How much work; `pixgen presets` lists them.", metavar="NAME")
]
Size = Annotated[str | None, typer.Option(help="Width x height in pixels.", metavar="128x128")]
Seed = Annotated[int | None, setting_option("seed", metavar="N", more="Without it, a random one.")]
SeedOfAll = Annotated[
    int | None,
    setting_option("seed", metavar="N", before="One for all.", more="Without it, a random one."),
]
Init = Annotated[str | None, typer.Option(help="How to start, as with generate.", metavar="KIND")]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any field of the recipe: cutouts.count=16.", metavar="KEY=VALUE"),
]

Augment = Annotated[
    list[str] | None,
    typer.Option(
        "--augment",
        help="Also an augmentation of kornia, with its arguments: RandomThinPlateSpline:p=0.5,scale=0.2; "
        "may be given several times.",
        metavar="NAME:ARGUMENTS",
    ),
]

# A run, and what of it is to be another
Run = Annotated[
    str,
    typer.Argument(help="A run, by its name or folder; `pixgen runs` lists them.", metavar="RUN"),
]
OtherWords = Annotated[str | None, typer.Argument(help="Other words; without them, those of the run.")]
Weights = Annotated[
    list[str] | None,
    typer.Option("--weight", help="Another weight of one prompt, by its number.", metavar="2=0.5"),
]
LearningRate = Annotated[
    float | None, setting_option("optimizer.learning_rate", metavar="RATE", before="Another one.")
]
Resume = Annotated[
    str | None,
    typer.Option(help="Go on with a run, by its name or folder; `pixgen runs` lists them.", metavar="RUN"),
]

# What comes of it, and where
Picture = Annotated[
    Path | None, typer.Option("--out", help="Also keep the picture here.", metavar="FILE.png")
]
Sheet = Annotated[
    Path | None,
    typer.Option("--out", help="Where to write the sheet; else beside its runs.", metavar="FILE.png"),
]
FILM = "Also keep the film here: .mp4, .webm, .gif or .webp."
Film = Annotated[Path | None, typer.Option("--out", help=FILM, metavar="FILE.mp4")]
FilmToo = Annotated[Path | None, typer.Option("--video", help=FILM, metavar="FILE.mp4")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Let --out replace an existing file.")]
OverwriteBoth = Annotated[
    bool, typer.Option("--overwrite", help="Let --out and --video replace existing files.")
]
OutputDir = Annotated[
    Path | None,
    typer.Option(help="Where runs are kept; else $PIXGEN_OUTPUT_DIR, else ./outputs.", metavar="FOLDER"),
]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.", metavar="NAME")]
AsJson = Annotated[bool, typer.Option("--json", help="For machines: one JSON value on stdout.")]
AsJsonLines = Annotated[
    bool,
    typer.Option(
        "--json",
        help="For machines: one JSON object a line on stdout, the result last; an error is "
        '{"error": …} on stderr.',
    ),
]
ModelsDir = Annotated[
    Path | None,
    typer.Option(
        help="A folder of own checkpoints with their configs, for --model by name; else $PIXGEN_MODELS_DIR.",
        metavar="FOLDER",
    ),
]
