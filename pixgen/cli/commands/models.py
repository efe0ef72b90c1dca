"""``pixgen models``: list, fetch, verify and remove image models, CLIPs and sketch models by name."""

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pixgen.cli._downloads import BarProgress, LineProgress, use_models_dir
from pixgen.cli._options import FILTERS, MODELS, AsJson, ModelsDir, example
from pixgen.errors import ModelError

if TYPE_CHECKING:
    from pixgen.models.registry import RegisteredModel

_STATES = {"here": "downloaded", "to fetch": "not downloaded"}  # other states are shown as they are
OPTION_BY_KIND = {"vqgan": "--model", "clip": "--clip", "sketcher": "--sketcher"}
Names = Annotated[
    list[str], typer.Argument(help="Names of models. `pixgen models list` shows them.", metavar="NAME…")
]

models = typer.Typer(
    name="models", invoke_without_command=True, epilog="Example: pixgen models list --kind clip"
)


@models.callback()
def _models(context: typer.Context, as_json: AsJson = False) -> None:
    """List, fetch, verify and remove models."""
    if context.invoked_subcommand is None:
        list_models(as_json=as_json)


@models.command("list")
@example("pixgen models list --kind vqgan")
def list_models(
    kind: Annotated[
        Literal["vqgan", "clip", "sketcher"] | None,
        typer.Option(help="Only one kind: image models, CLIPs or sketch models.", rich_help_panel=FILTERS),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also every CLIP that open_clip lists.", rich_help_panel=FILTERS)
    ] = False,
    models_dir: ModelsDir = None,
    as_json: AsJson = False,
) -> None:
    """List the models: description, size, licence, and whether they are downloaded."""
    from pixgen.models.clip.custom import custom_clip_entries
    from pixgen.models.registry import list_models as list_registered
    from pixgen.models.vqgan.custom import custom_entries

    use_models_dir(models_dir)
    found = [each for each in list_registered(everything=everything) if kind in (None, each.entry.kind)]
    if as_json:
        typer.echo(json.dumps([each.facts() for each in found], ensure_ascii=False))
        return
    for each_kind, option in OPTION_BY_KIND.items():
        if shown := [each for each in found if each.entry.kind == each_kind]:
            _print_models(shown, option)
    for fault in [*custom_entries()[1], *custom_clip_entries()[1]]:
        typer.echo(fault, err=True)


@models.command()
@example("pixgen models fetch imagenet-16384 ViT-B-32")
def fetch(names: Names, models_dir: ModelsDir = None, as_json: AsJson = False) -> None:
    """Download models and verify them, so that painting needs no network."""
    from pixgen.models.progress import listen_to_downloads
    from pixgen.models.registry import fetch as fetch_one
    from pixgen.models.registry import find_model

    use_models_dir(models_dir)
    entries = [find_model(name) for name in names]
    with nullcontext(LineProgress()) if as_json else BarProgress() as shown:
        for entry in entries:
            with listen_to_downloads(shown.show):
                path = fetch_one(entry)
            shown.end(entry, path)


@models.command()
@example("pixgen models verify")
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Names of models. Default: all that are downloaded.", metavar="NAME…"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check downloaded models against their hashes; the exit status is 2 if one has changed."""
    from pixgen.models.registry import check, find_model
    from pixgen.models.registry import list_models as list_registered

    entries = [find_model(name) for name in names or ()]
    if not names:
        entries = [each.entry for each in list_registered(everything=True) if each.state == "here"]
    wrong = []
    for entry in entries:
        try:
            facts = {"name": entry.name, "kind": entry.kind, "fault": None, "sha256": check(entry)}
        except ModelError as error:
            wrong.append(str(error))
            facts = {"name": entry.name, "kind": entry.kind, "fault": str(error), "sha256": None}
        said = facts["fault"] or f"{entry.name}: unchanged, sha256 {facts['sha256']}"
        typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else said)
    if not entries and not as_json:
        typer.echo("No model is downloaded.")
    if wrong:
        raise ModelError(
            "{count} of {total} models have changed: fetch them again with `pixgen models fetch`.",
            count=len(wrong),
            total=len(entries),
        )


@models.command()
@example("pixgen models remove imagenet-16384")
def remove(
    names: Names,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget",
            help="Also forget the hash of its first download, so that another file is accepted.",
            rich_help_panel=MODELS,
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete downloaded models; your own checkpoints and the bundled models stay."""
    from pixgen.models.cache import format_bytes
    from pixgen.models.registry import find_model
    from pixgen.models.registry import remove as remove_one

    for entry in [find_model(name) for name in names]:
        freed = remove_one(entry, forget=forget)
        facts = {"name": entry.name, "kind": entry.kind, "freed_bytes": freed}
        typer.echo(
            json.dumps(facts, ensure_ascii=False) if as_json else f"{entry.name}: {format_bytes(freed)} freed"
        )


def _print_models(shown: list["RegisteredModel"], option: str) -> None:
    """Print the models of one kind in columns, each with a description below."""
    from rich.console import Console
    from rich.text import Text

    kind = shown[0].entry.kind
    heads = {"vqgan": ("factor", "codes"), "clip": ("ImageNet", "GFLOP"), "sketcher": ()}[kind]
    rows = [(option, *heads, "MB", "licence", "state")]
    for each in shown:
        entry = each.entry
        numbers = (entry.factor, entry.codes) if kind == "vqgan" else (entry.imagenet, entry.gflops)
        figures = [_format_number(number) for number in (*numbers[: len(heads)], entry.megabytes)]
        rows.append((entry.name, *figures, entry.licence, _STATES.get(each.state, each.state)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    console = Console(highlight=False)
    for row, each in zip(rows, [None, *shown], strict=True):
        cells = [
            cell.rjust(width) if 0 < column <= len(heads) + 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        console.print(Text("  ".join(cells).rstrip(), "bold" if each is None else ""), soft_wrap=True)
        if each is not None and each.entry.paints:
            console.print(Text(f"  {each.entry.paints}", "dim"), soft_wrap=True)
    console.print()


def _format_number(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"
