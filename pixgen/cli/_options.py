"""The options that several commands share, and how the command line is read.

Options are annotated types in the panels of ``--help`` that they stand in; the help of a recipe's setting comes
from the setting's own field, by ``setting_option``. ``Command`` and ``WordsCommand``, the classes of all
commands, read old option names, words that begin with a minus, and ``~`` in paths; ``example`` gives a command
the line that ends its ``--help``.
"""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.markup import escape
from typer.core import TyperCommand

from pixgen.paths import expand
from pixgen.recipe.base import find_setting
from pixgen.recipe.recipe import Recipe

# The panels of --help.
PROMPT, PICTURE, MODELS, START = "Prompt", "Picture", "Models", "Starting point"
MOTION, FILTERS, OUTPUT, RUNS = "Motion", "Filters", "Output", "Runs and device"
Function = TypeVar("Function", bound=Callable[..., Any])

# Options by their names in earlier versions: they are read, and not shown.
OLD_OPTIONS = {
    "--bin": "--trash",
    "--looks": "--looks-like",
    "--drawn-by": "--image-model",
    "--way": "--variant",
}


def setting_option(
    path: str, *names: str, panel: str, metavar: str | None = None, before: str = "", more: str = ""
) -> Any:
    """The option of a recipe's setting, such as ``journey.zoom``, with the setting's own help.

    Args:
        names: the option's names, where they are not the parameter's.
        panel: where ``--help`` shows it.
        metavar: by default the setting's example.
        before, more: what the command adds to the help, before it and after it.
    """
    setting = find_setting(Recipe, path)
    text = " ".join(filter(None, (before, setting.help, more)))
    return typer.Option(
        *names, help=escape(text), metavar=metavar or setting.example or None, rich_help_panel=panel
    )


# The prompt
Negative = Annotated[
    list[str] | None,
    typer.Option(
        help="Negative prompt: things to avoid, several separated by |.",
        metavar="TEXT",
        rich_help_panel=PROMPT,
    ),
]
Language = Annotated[
    str,
    typer.Option(
        help="Language of the prompt, for the bundled models, which know only English: a code such as tr, de or "
        "ja; auto detects it; en turns translation off.",
        metavar="CODE",
        rich_help_panel=PROMPT,
    ),
]
Styles = Annotated[
    list[str] | None,
    typer.Option(
        "--style",
        help="A style: its name (`pixgen styles` lists them) or a JSON file. Several combine.",
        metavar="NAME",
        rich_help_panel=PROMPT,
    ),
]

# The picture
Preset = Annotated[
    str | None,
    typer.Option(
        help="Quality: the name of a preset. `pixgen presets` lists them.",
        metavar="NAME",
        rich_help_panel=PICTURE,
    ),
]
Size = Annotated[
    str | None,
    typer.Option(help="Width x height in pixels.", metavar="128x128", rich_help_panel=PICTURE),
]
Seed = Annotated[int | None, setting_option("seed", panel=PICTURE, metavar="N", more="Random if not given.")]
SharedSeed = Annotated[
    int | None,
    setting_option(
        "seed", panel=PICTURE, metavar="N", before="Shared by all pictures.", more="Random if not given."
    ),
]
Init = Annotated[
    str | None,
    typer.Option(help="Starting point, as in `pixgen generate`.", metavar="KIND", rich_help_panel=START),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Any other setting: cutouts.count=16. `pixgen settings` lists them.",
        metavar="KEY=VALUE",
        rich_help_panel=PICTURE,
    ),
]
Augment = Annotated[
    list[str] | None,
    typer.Option(
        "--augment",
        help="Add an augmentation of kornia with its arguments: RandomThinPlateSpline:p=0.5,scale=0.2. "
        "Can be given several times.",
        metavar="NAME:ARGUMENTS",
        rich_help_panel=MODELS,
    ),
]

# A run, and what to change in it
Run = Annotated[
    str,
    typer.Argument(help="A run: its name or its folder. `pixgen runs` lists them.", metavar="RUN"),
]
NewPrompt = Annotated[str | None, typer.Argument(help="The new prompt. Default: the run's own.")]
Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weight",
        help="A new weight for one prompt, by its number.",
        metavar="2=0.5",
        rich_help_panel=PROMPT,
    ),
]
LearningRate = Annotated[
    float | None,
    setting_option("optimizer.learning_rate", panel=PICTURE, metavar="RATE", before="A new learning rate."),
]
Resume = Annotated[
    str | None,
    typer.Option(
        help="Continue a run: its name or its folder. `pixgen runs` lists them.",
        metavar="RUN",
        rich_help_panel=RUNS,
    ),
]

Audio = Annotated[Path | None, setting_option("journey.audio", panel=MOTION, metavar="FILE.mp3")]

# Files and folders
PictureOut = Annotated[
    Path | None,
    typer.Option("--out", help="Also save the picture here.", metavar="FILE.png", rich_help_panel=OUTPUT),
]
SheetOut = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Where to save the sheet. Default: beside its runs.",
        metavar="FILE.png",
        rich_help_panel=OUTPUT,
    ),
]
VIDEO_HELP = "Also save the video here: .mp4, .webm, .gif or .webp."
VideoOut = Annotated[
    Path | None, typer.Option("--out", help=VIDEO_HELP, metavar="FILE.mp4", rich_help_panel=OUTPUT)
]
Video = Annotated[
    Path | None, typer.Option("--video", help=VIDEO_HELP, metavar="FILE.mp4", rich_help_panel=OUTPUT)
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Let --out replace an existing file.", rich_help_panel=OUTPUT),
]
OverwriteBoth = Annotated[
    bool,
    typer.Option("--overwrite", help="Let --out and --video replace existing files.", rich_help_panel=OUTPUT),
]
OutputDir = Annotated[
    Path | None,
    typer.Option(
        help="Where runs are kept. Default: $PIXGEN_OUTPUT_DIR, else ./outputs.",
        metavar="FOLDER",
        rich_help_panel=RUNS,
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.", metavar="NAME", rich_help_panel=RUNS)]
Devices = Annotated[
    str | None,
    typer.Option(
        help="Several devices, each with one picture at a time: cuda:0,cuda:1, or cpu:2 for two on the CPU. "
        "Default: $PIXGEN_DEVICES, else --device.",
        metavar="NAMES",
        rich_help_panel=RUNS,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        help="Paint on a Ray cluster: auto (the one that this machine is part of), local (all devices of this "
        "machine) or ray://HOST:10001. Default: $PIXGEN_CLUSTER.",
        metavar="ADDRESS",
        rich_help_panel=RUNS,
    ),
]
EmbeddingCluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Read and embed the pictures on a Ray cluster: auto, local or ray://HOST:10001. Their folder has the "
        "same path on all of its machines.",
        metavar="ADDRESS",
        rich_help_panel=RUNS,
    ),
]
PerDevice = Annotated[
    int,
    typer.Option(
        help="With --cluster: how many pictures each device paints at once.",
        metavar="N",
        min=1,
        max=64,
        rich_help_panel=RUNS,
    ),
]
DeviceShare = Annotated[
    float,
    typer.Option(
        help="With --cluster: the share of each device that this page takes, such as 0.5 for each of two pages.",
        metavar="SHARE",
        min=0.01,
        max=1.0,
        rich_help_panel=RUNS,
    ),
]
Catalogue = Annotated[
    str | None,
    typer.Option(
        help="A PostgreSQL database for the list of the runs, which several pages on one folder share: "
        "postgresql://USER:PASSWORD@HOST/DATABASE. "
        "Default: $PIXGEN_CATALOGUE, else a file in the folder.",
        metavar="ADDRESS",
        rich_help_panel=RUNS,
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        help="An object store for copies of the runs, which several pages with folders of their own share: "
        "s3://BUCKET/PREFIX, or another URL of fsspec. Default: $PIXGEN_STORAGE, else none.",
        metavar="URL",
        rich_help_panel=RUNS,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="For programs: print one JSON value.", rich_help_panel=OUTPUT),
]
AsJsonLines = Annotated[
    bool,
    typer.Option(
        "--json",
        help="For programs: print one JSON object per line, the result last. An error is "
        '{"error": …} on stderr.',
        rich_help_panel=OUTPUT,
    ),
]
ModelsDir = Annotated[
    Path | None,
    typer.Option(
        help="A folder of your own checkpoints with their configs, for --model by name. "
        "Default: $PIXGEN_MODELS_DIR.",
        metavar="FOLDER",
        rich_help_panel=MODELS,
    ),
]


class Command(TyperCommand):
    """A command that also reads the options by their old names."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Replace old option names by today's, before any ``--``."""
        known = {name for option in self.params for name in option.opts}
        end = args.index("--") if "--" in args else len(args)
        renamed = []
        for argument in args[:end]:
            name, equals, value = argument.partition("=")
            new = OLD_OPTIONS.get(name, name)
            renamed.append(f"{new}{equals}{value}" if new in known and name not in known else argument)
        return super().parse_args(ctx, [*renamed, *args[end:]])


class WordsCommand(Command):
    """A command whose words may begin with a minus: ``pixgen search "- rider + horse"``.

    An argument is an option if the command knows it or if it is written like one, ``--name``; any other
    argument with a minus before it is words.
    """

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Move such words behind ``--``, where click expects words that look like options."""
        takes_value = dict.fromkeys(ctx.help_option_names, False)
        for option in self.params:
            takes_value |= dict.fromkeys(option.opts, not getattr(option, "is_flag", False))
            takes_value |= dict.fromkeys(option.secondary_opts, False)
        takes_value |= {old: takes_value[new] for old, new in OLD_OPTIONS.items() if new in takes_value}
        options: list[str] = []
        words: list[str] = []
        left = list(args)
        while left:
            argument = left.pop(0)
            if argument == "--":
                words += left
                break
            if takes_value.get(argument, False):
                options += [argument, *left[:1]]
                left = left[1:]
            elif argument not in takes_value and re.match(r"-[^-]|--?[^=]*\s", argument):
                words.append(argument)
            elif argument.startswith("-") and argument != "-":
                options.append(argument)
            else:
                words.append(argument)
        return super().parse_args(ctx, [*options, *(["--", *words] if words else [])])


def example(line: str) -> Callable[[Function], Function]:
    """Give a command the line that its ``--help`` ends with."""

    def decorate(command: Function) -> Function:
        command.example = line  # type: ignore[attr-defined]
        return command

    return decorate


def finish_commands(group: typer.Typer, cls: type[TyperCommand] = Command) -> None:
    """Let every command of a group read old option names and ``~``, and end its help with its example."""
    for command in group.registered_commands:
        if (function := command.callback) is None:
            continue
        if not (isinstance(command.cls, type) and issubclass(command.cls, Command)):
            command.cls = cls
        if line := getattr(function, "example", ""):
            command.epilog = escape(f"Example: {line}")
        command.callback = expand_home_paths(function)


def expand_home_paths(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command, with a leading ``~`` in each of its paths replaced by the home folder.

    A shell does that at the beginning of a word, but not in ``--out=~/fox.png``; Windows' shell never does.
    """

    @functools.wraps(command)
    def call(*given: Any, **named: Any) -> Any:
        return command(*given, **{name: _expand(value) for name, value in named.items()})

    return call


def _expand(value: Any) -> Any:
    if isinstance(value, Path):
        return expand(value)
    return [_expand(each) for each in value] if isinstance(value, list) else value
