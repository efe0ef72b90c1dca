"""``pixgen compare``: what differs between two runs, in one line and side by side."""

# MERGED pixgen.commands.runs: ``pixgen runs``: list, show, mark, delete and restore what was painted.
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixgen.cli._listings import printable, table
from pixgen.cli._options import AsJson, OutputDir, Overwrite, Run

if TYPE_CHECKING:
    from pixgen.studio.gallery.catalogue_rows import Entry, RunFilter
    from pixgen.studio.gallery.gallery import Gallery, RunDetails


def compare(
    one: Run,
    other: Run,
    out: Annotated[
        Path | None,
        typer.Option(help="Also draw their pictures side by side.", metavar="FILE.png"),
    ] = None,
    overwrite: Overwrite = False,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Print in one line in what the recipes of two runs differ."""
    from pixgen.cli._jobs import locate_run
    from pixgen.cli._outputs import check_target
    from pixgen.studio import Studio
    from pixgen.studio.gallery.compare import differences, draw_pair, in_one_line
    from pixgen.studio.runs.run import similarity
    from pixgen.studio.storage import writing

    if out is not None:
        check_target(out, "--out", suffixes=(".png",), overwrite=overwrite)
    runs = []
    for name in (one, other):
        name, folder = locate_run(name, output_dir)
        with Studio(folder, device="cpu") as studio:
            runs.append(studio.run(name))
    found = differences(runs[0].recipe, runs[1].recipe)
    if out is not None:
        sheet = draw_pair(*runs)
        with writing(out) as temporary:
            sheet.save(temporary, "PNG")
    if as_json:
        value = {
            "runs": [run.id for run in runs],
            "similarities": [similarity(run) for run in runs],
            "differences": {name: values for name, *values in found},
            "sheet": None if out is None else str(out),
        }
        typer.echo(json.dumps(value, ensure_ascii=False))
        return
    typer.echo(in_one_line(found))
    if out is not None:
        typer.echo(f"Sheet: {out}")


runs = typer.Typer(name="runs", help="List, show, mark, delete and restore what was painted.")

RunName = Annotated[str, typer.Argument(help="The run's name.", metavar="RUN")]
RunNames = Annotated[list[str], typer.Argument(help="The runs' names.", metavar="RUN…")]


@runs.callback(invoke_without_command=True)
def _runs(context: typer.Context, output_dir: OutputDir = None, as_json: AsJson = False) -> None:
    """List, show, mark, delete and restore what was painted; alone, list all."""
    if context.invoked_subcommand is None:
        _list(output_dir=output_dir, as_json=as_json)
    elif output_dir is not None or as_json:
        raise typer.BadParameter(f"Write options behind “{context.invoked_subcommand}”.")


@runs.command("list")
def _list(
    text: Annotated[
        str, typer.Argument(help="Words that are in the prompt or the tags.", metavar="TEXT")
    ] = "",
    looks: Annotated[
        str, typer.Option(help="What is to be seen in the picture; the likest first.", metavar="TEXT")
    ] = "",
    preset: Annotated[str, typer.Option(help="Only of this preset.", metavar="NAME")] = "",
    state: Annotated[str, typer.Option(help="painting, done, stopped or failed.", metavar="NAME")] = "",
    tag: Annotated[str, typer.Option(help="Only with this tag.", metavar="TAG")] = "",
    favourites: Annotated[bool, typer.Option("--favourites", help="Only favourites.")] = False,
    after: Annotated[str | None, typer.Option(help="Not older, 2026-11-23.", metavar="DATE")] = None,
    before: Annotated[str | None, typer.Option(help="Older, 2026-11-23.", metavar="DATE")] = None,
    binned: Annotated[bool, typer.Option("--bin", help="Those that were deleted.")] = False,
    sort: Annotated[
        str, typer.Option(help="newest, oldest, likeness, longest or prompt.", metavar="ORDER")
    ] = "newest",
    top: Annotated[int | None, typer.Option(help="At most so many.", min=1, metavar="N")] = None,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """List runs: all, or those with some words, tags, state, preset or date, or that look like a text."""
    from pixgen.studio.gallery.catalogue_rows import RunFilter
    from pixgen.vision.search.filters import parse_date

    wanted = RunFilter(
        text=text, preset=preset, state=state, tag=tag, favourite=favourites, binned=binned, sort=sort,
        after=parse_date(after) if after else None, before=parse_date(before) if before else None,
    )  # fmt: skip
    with _gallery(output_dir, device="auto" if looks else "cpu") as gallery:
        found = _search_by_look(gallery, looks, wanted, top) if looks else gallery.find(wanted, count=top)
        folder = gallery.studio.folder
    if as_json:
        typer.echo(json.dumps([_as_dict(entry, folder) for entry in found], ensure_ascii=False))
    elif not found:
        every = wanted == RunFilter() and not looks
        typer.echo(f"No runs yet in {folder}." if every else "No run is like that: ask for less.")
    else:
        rows = [
            (
                f"{entry.id}{' ★' * entry.favourite}",
                entry.state,
                f"{entry.step}/{entry.steps}",
                entry.preset,
                entry.seed,
                _figure(entry.similarity),
                printable(entry.prompt),
                ", ".join(entry.tags),
            )
            for entry in found
        ]
        table(("run", "state", "step", "preset", "seed", "likeness", "prompt", "tags"), rows)


@runs.command("show")
def _show(run: RunName, output_dir: OutputDir = None, as_json: AsJson = False) -> None:
    """Show a run: its recipe, how it went, its files, and what it was made from or became."""
    with _gallery(output_dir) as gallery:
        opened = gallery.open(run)
        facts = _facts(opened, gallery.studio.folder)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    recipe, curve = opened.run.recipe, opened.curve
    waited = opened.run.stopped_waiting
    rows = [
        ("prompt", printable(recipe.prompt)),
        ("state", "stopped before it began" if waited else opened.run.state),
        ("step", "" if waited else f"{opened.run.step} of {recipe.steps}"), ("seed", recipe.seed),
        ("size", f"{recipe.width}x{recipe.height}"), ("preset", recipe.preset),
        ("started", f"{opened.entry.started:%Y-%m-%d %H:%M}"), ("seconds", round(opened.run.seconds, 1)),
        *((f"likeness of “{printable(name)}”", _course(column)) for name, column in curve.similarities.items()),
        *((f"loss: {printable(name)}", _course(column)) for name, column in curve.losses.items()),
        ("favourite", "yes" if opened.entry.favourite else "no"), ("tags", ", ".join(opened.entry.tags)),
        *((name, facts[name]) for name in ("picture", "film") if facts[name]),
        *((name, " ".join(facts[name])) for name in ("parents", "children", "siblings") if facts[name]),
        ("notice", printable(opened.run.notice)),
    ]  # fmt: skip
    table(("field", "value"), [row for row in rows if row[1] not in ("", None)])


@runs.command("favourite")
def _favourite(
    run: RunNames,
    off: Annotated[bool, typer.Option("--off", help="Not a favourite any more.")] = False,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Make runs favourites."""
    _each(run, lambda gallery, name: gallery.mark(name, favourite=not off), output_dir, as_json)


@runs.command("tag")
def _tag(
    run: RunName,
    tags: Annotated[list[str], typer.Argument(help="Tags to add; -TAG takes one away, behind “--”.")],
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Add tags to a run, or take them away: `runs tag RUN sea boat`, `runs tag RUN -- -sea`."""
    add = [tag for tag in tags if not tag.startswith("-")]
    remove = [tag[1:] for tag in tags if tag.startswith("-")]
    _each([run], lambda gallery, name: gallery.mark(name, add=add, remove=remove), output_dir, as_json)


@runs.command("delete")
def _delete(run: RunNames, output_dir: OutputDir = None, as_json: AsJson = False) -> None:
    """Move runs into the bin, from where `runs restore` takes them back."""
    _each(run, lambda gallery, name: gallery.delete(name), output_dir, as_json)


@runs.command("restore")
def _restore(run: RunNames, output_dir: OutputDir = None, as_json: AsJson = False) -> None:
    """Take runs back out of the bin."""
    _each(run, lambda gallery, name: gallery.restore(name), output_dir, as_json)


@runs.command("empty")
def _empty(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Remove for good what lies in the bin."""
    from pixgen.studio.gallery.catalogue_rows import RunFilter

    with _gallery(output_dir) as gallery:
        count = len(gallery.find(RunFilter(binned=True)))
        if count and not yes:
            typer.confirm(
                f"Runs in the bin: {count}. Remove them and their files for good?",
                abort=True,
                err=True,
            )
        count = gallery.empty()
    typer.echo(json.dumps({"removed": count}) if as_json else f"Removed from the bin: {count}.")


@contextmanager
def _gallery(output_dir: Path | None, *, device: str = "cpu") -> "Iterator[Gallery]":
    from pixgen.studio import Studio
    from pixgen.studio.gallery.gallery import Gallery

    with Studio(output_dir, device=device) as studio:
        yield Gallery(studio)


def _search_by_look(gallery: "Gallery", looks: str, wanted: "RunFilter", top: int | None) -> "list[Entry]":
    from pixgen.studio.library.library import PictureLibrary

    return gallery.look(PictureLibrary(gallery.studio), looks, wanted)[:top]


def _each(
    names: list[str], do: "Callable[[Gallery, str], Any]", output_dir: Path | None, as_json: bool
) -> None:
    """Do something to each run, and say how each is then."""
    with _gallery(output_dir) as gallery:
        for name in names:
            gallery.entry(name)  # nothing is done if one of them is not there
        for name in names:
            do(gallery, name)
        found = [_as_dict(gallery.entry(name), gallery.studio.folder) for name in names]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for run in found:
        said = ["in the bin"] * run["deleted"] + ["favourite"] * run["favourite"] + run["tags"]
        typer.echo(f"{run['run']}  {', '.join(said) or '-'}")


def _as_dict(entry: "Entry", studio: Path) -> dict[str, Any]:
    return {
        "run": entry.id, "state": entry.state, "step": entry.step, "steps": entry.steps,
        "preset": entry.preset, "seed": entry.seed, "size": f"{entry.width}x{entry.height}",
        "prompt": entry.prompt, "similarity": entry.similarity, "seconds": round(entry.seconds, 3),
        "started": entry.started.isoformat(), "favourite": entry.favourite, "tags": list(entry.tags),
        "parent": entry.parent, "deleted": entry.binned, "folder": str(entry.folder(studio)),
    }  # fmt: skip


def _facts(opened: "RunDetails", studio: Path) -> dict[str, Any]:
    run, curve = opened.run, opened.curve
    files = {name: getattr(run, name) for name in ("picture", "film")}
    relatives = ("parents", "children", "siblings")
    return {
        **_as_dict(opened.entry, studio),
        **{name: str(path) if path.is_file() else None for name, path in files.items()},
        **{name: [each.id for each in getattr(opened, name)] for name in relatives},
        "notice": run.notice,
        "curve": {"steps": curve.steps, "similarities": curve.similarities, "losses": curve.losses},
        "recipe": run.recipe.model_dump(mode="json"),
    }


def _course(column: list[float | None]) -> str:
    """A curve in a word: where it began and where it ended."""
    known = [value for value in column if value is not None]
    return f"{known[0]:.3f} → {known[-1]:.3f}" if known else ""


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
