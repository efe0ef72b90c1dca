"""``pixgen runs`` and ``pixgen compare``: list, show, tag, delete, restore and compare runs."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixgen.cli._options import (
    FILTERS,
    OUTPUT,
    PICTURE,
    AsJson,
    Catalogue,
    OutputDir,
    Overwrite,
    Run,
    example,
)
from pixgen.cli._outputs import print_table, printable

if TYPE_CHECKING:
    from pixgen.studio.gallery.entries import Entry, RunFilter
    from pixgen.studio.gallery.gallery import Gallery, RunDetails


@example("pixgen compare 20261129-120000-abcdef 20261129-120500-ghijkl --out pair.png")
def compare(
    one: Run,
    other: Run,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Also draw their pictures side by side.", metavar="FILE.png", rich_help_panel=OUTPUT
        ),
    ] = None,
    overwrite: Overwrite = False,
    output_dir: OutputDir = None,
    as_json: AsJson = False,
) -> None:
    """Print the differences between the recipes of two runs, in one line."""
    from pixgen.cli._jobs import locate_run
    from pixgen.cli._outputs import check_target
    from pixgen.studio import Studio
    from pixgen.studio.gallery.compare import differences, draw_pair, format_differences
    from pixgen.studio.runs.run import mean_similarity
    from pixgen.studio.storage import atomic_write

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
        with atomic_write(out) as temporary:
            sheet.save(temporary, "PNG")
    if as_json:
        value = {
            "runs": [run.id for run in runs],
            "similarities": [mean_similarity(run) for run in runs],
            "differences": {name: values for name, *values in found},
            "sheet": None if out is None else str(out),
        }
        typer.echo(json.dumps(value, ensure_ascii=False))
        return
    typer.echo(format_differences(found))
    if out is not None:
        typer.echo(f"Sheet: {out}")


runs = typer.Typer(
    name="runs",
    help="List, show, tag, delete and restore runs.",
    epilog="Example: pixgen runs list fox --favourites",
)

RunName = Annotated[str, typer.Argument(help="The name of a run.", metavar="RUN")]
RunNames = Annotated[list[str], typer.Argument(help="The names of runs.", metavar="RUN…")]


@runs.callback(invoke_without_command=True)
def _runs(
    context: typer.Context,
    output_dir: OutputDir = None,
    catalogue: Catalogue = None,
    as_json: AsJson = False,
) -> None:
    """List, show, tag, delete and restore runs."""
    if context.invoked_subcommand is None:
        _list(output_dir=output_dir, catalogue=catalogue, as_json=as_json)
    elif output_dir is not None or catalogue is not None or as_json:
        raise typer.BadParameter(f"Put the options after “{context.invoked_subcommand}”.")


@runs.command("list")
@example("pixgen runs list fox --favourites --sort similarity --top 10")
def _list(
    text: Annotated[str, typer.Argument(help="Words in the prompt or the tags.", metavar="TEXT")] = "",
    looks: Annotated[
        str,
        typer.Option(
            "--looks-like",
            help="What the picture shows; the most similar first.",
            metavar="TEXT",
            rich_help_panel=FILTERS,
        ),
    ] = "",
    preset: Annotated[
        str, typer.Option(help="Only with this preset.", metavar="NAME", rich_help_panel=FILTERS)
    ] = "",
    state: Annotated[
        str, typer.Option(help="painting, done, stopped or failed.", metavar="NAME", rich_help_panel=FILTERS)
    ] = "",
    tag: Annotated[
        str, typer.Option(help="Only with this tag.", metavar="TAG", rich_help_panel=FILTERS)
    ] = "",
    favourites: Annotated[
        bool, typer.Option("--favourites", help="Only favourites.", rich_help_panel=FILTERS)
    ] = False,
    after: Annotated[
        str | None,
        typer.Option(help="From this day on: 2026-11-23.", metavar="DATE", rich_help_panel=FILTERS),
    ] = None,
    before: Annotated[
        str | None, typer.Option(help="Before this day: 2026-11-23.", metavar="DATE", rich_help_panel=FILTERS)
    ] = None,
    trashed: Annotated[
        bool, typer.Option("--trash", help="Runs in the trash.", rich_help_panel=FILTERS)
    ] = False,
    sort: Annotated[
        str,
        typer.Option(
            help="newest, oldest, similarity (the most similar to the prompt first), longest or prompt.",
            metavar="ORDER",
            rich_help_panel=OUTPUT,
        ),
    ] = "newest",
    top: Annotated[
        int | None, typer.Option(help="At most this many.", min=1, metavar="N", rich_help_panel=OUTPUT)
    ] = None,
    output_dir: OutputDir = None,
    catalogue: Catalogue = None,
    as_json: AsJson = False,
) -> None:
    """List runs, all or by words, tags, state, preset, date or what the picture shows."""
    from pixgen.studio.gallery.entries import RunFilter
    from pixgen.vision.search.query import parse_date

    query = RunFilter(
        text=text,
        preset=preset,
        state=state,
        tag=tag,
        favourite=favourites,
        trashed=trashed,
        sort="likeness" if sort == "similarity" else sort,
        after=parse_date(after) if after else None,
        before=parse_date(before) if before else None,
    )
    with _gallery(output_dir, catalogue, device="auto" if looks else "cpu") as gallery:
        found = _search_by_look(gallery, looks, query, top) if looks else gallery.find(query, count=top)
        folder = gallery.studio.folder
    if as_json:
        typer.echo(json.dumps([_as_dict(entry, folder) for entry in found], ensure_ascii=False))
    elif not found:
        unfiltered = query == RunFilter() and not looks
        typer.echo(f"No runs yet in {folder}." if unfiltered else "No run matches: use fewer filters.")
    else:
        rows = [
            (
                f"{entry.id}{' ★' * entry.favourite}",
                entry.state,
                f"{entry.step}/{entry.steps}",
                entry.preset,
                entry.seed,
                _format_number(entry.similarity),
                printable(entry.prompt),
                ", ".join(entry.tags),
            )
            for entry in found
        ]
        print_table(("run", "state", "step", "preset", "seed", "similarity", "prompt", "tags"), rows)


@runs.command("show")
@example("pixgen runs show 20261129-120000-abcdef")
def _show(
    run: RunName,
    output_dir: OutputDir = None,
    catalogue: Catalogue = None,
    as_json: AsJson = False,
) -> None:
    """Show a run: recipe, progress, files, and the runs it came from or led to."""
    with _gallery(output_dir, catalogue) as gallery:
        opened = gallery.open(run)
        facts = _details_as_dict(opened, gallery.studio.folder)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    recipe, curve = opened.run.recipe, opened.curve
    waited = opened.run.stopped_in_queue
    rows = [
        ("prompt", printable(recipe.prompt)),
        ("state", "stopped before it began" if waited else opened.run.state),
        ("step", "" if waited else f"{opened.run.step} of {recipe.steps}"),
        ("seed", recipe.seed),
        ("size", f"{recipe.width}x{recipe.height}"),
        ("preset", recipe.preset),
        ("started", f"{opened.entry.started:%Y-%m-%d %H:%M}"),
        ("seconds", round(opened.run.seconds, 1)),
        *(
            (f"similarity to “{printable(name)}”", _first_and_last(column))
            for name, column in curve.similarities.items()
        ),
        *((f"loss: {printable(name)}", _first_and_last(column)) for name, column in curve.losses.items()),
        ("favourite", "yes" if opened.entry.favourite else "no"),
        ("tags", ", ".join(opened.entry.tags)),
        *((name, facts[key]) for name, key in (("picture", "picture"), ("video", "film")) if facts[key]),
        *((name, " ".join(facts[name])) for name in ("parents", "children", "siblings") if facts[name]),
        ("notice", printable(opened.run.notice)),
    ]
    print_table(("field", "value"), [row for row in rows if row[1] not in ("", None)])


@runs.command("favourite")
@example("pixgen runs favourite 20261129-120000-abcdef")
def _favourite(
    run: RunNames,
    off: Annotated[
        bool, typer.Option("--off", help="Remove from favourites.", rich_help_panel=PICTURE)
    ] = False,
    output_dir: OutputDir = None,
    catalogue: Catalogue = None,
    as_json: AsJson = False,
) -> None:
    """Add runs to the favourites."""
    _apply_to_runs(
        run,
        lambda gallery, name: gallery.update_tags(name, favourite=not off),
        output_dir,
        catalogue,
        as_json,
    )


@runs.command("tag")
@example("pixgen runs tag 20261129-120000-abcdef sea boat")
def _tag(
    run: RunName,
    tags: Annotated[list[str], typer.Argument(help="Tags to add; after “--”, -TAG removes one.")],
    output_dir: OutputDir = None,
    catalogue: Catalogue = None,
    as_json: AsJson = False,
) -> None:
    """Add tags to a run, or remove them: `pixgen runs tag RUN -- -sea`."""
    add = [tag for tag in tags if not tag.startswith("-")]
    remove = [tag[1:] for tag in tags if tag.startswith("-")]
    _apply_to_runs(
        [run],
        lambda gallery, name: gallery.update_tags(name, add=add, remove=remove),
        output_dir,
        catalogue,
        as_json,
    )


@runs.command("delete")
@example("pixgen runs delete 20261129-120000-abcdef")
def _delete(
    run: RunNames,
    output_dir: OutputDir = None,
    catalogue: Catalogue = None,
    as_json: AsJson = False,
) -> None:
    """Move runs to the trash; `pixgen runs restore` brings them back."""
    _apply_to_runs(run, lambda gallery, name: gallery.delete(name), output_dir, catalogue, as_json)


@runs.command("restore")
@example("pixgen runs restore 20261129-120000-abcdef")
def _restore(
    run: RunNames,
    output_dir: OutputDir = None,
    catalogue: Catalogue = None,
    as_json: AsJson = False,
) -> None:
    """Restore runs from the trash."""
    _apply_to_runs(run, lambda gallery, name: gallery.restore(name), output_dir, catalogue, as_json)


@runs.command("empty")
@example("pixgen runs empty --yes")
def _empty(
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask for confirmation.", rich_help_panel=OUTPUT)
    ] = False,
    output_dir: OutputDir = None,
    catalogue: Catalogue = None,
    as_json: AsJson = False,
) -> None:
    """Empty the trash: delete its runs and their files permanently."""
    from pixgen.studio.gallery.entries import RunFilter

    with _gallery(output_dir, catalogue) as gallery:
        count = len(gallery.find(RunFilter(trashed=True)))
        if count and not yes:
            typer.confirm(
                f"Runs in the trash: {count}. Delete them and their files permanently?",
                abort=True,
                err=True,
            )
        count = gallery.empty_trash()
    typer.echo(json.dumps({"removed": count}) if as_json else f"Deleted permanently: {count}.")


@contextmanager
def _gallery(output_dir: Path | None, catalogue: str | None, *, device: str = "cpu") -> "Iterator[Gallery]":
    from pixgen.studio import Studio
    from pixgen.studio.gallery.gallery import Gallery

    with Studio(output_dir, device=device, catalogue=catalogue) as studio:
        yield Gallery(studio)


def _search_by_look(gallery: "Gallery", looks: str, query: "RunFilter", top: int | None) -> "list[Entry]":
    from pixgen.studio.library.library import PictureLibrary

    return gallery.search(PictureLibrary(gallery.studio), looks, query)[:top]


def _apply_to_runs(
    names: list[str],
    do: "Callable[[Gallery, str], Any]",
    output_dir: Path | None,
    catalogue: str | None,
    as_json: bool,
) -> None:
    """Apply a change to each run, and print the result."""
    with _gallery(output_dir, catalogue) as gallery:
        for name in names:
            gallery.entry(name)  # nothing is changed if one of them is missing
        for name in names:
            do(gallery, name)
        found = [_as_dict(gallery.entry(name), gallery.studio.folder) for name in names]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for run in found:
        labels = ["in the trash"] * run["deleted"] + ["favourite"] * run["favourite"] + run["tags"]
        typer.echo(f"{run['run']}  {', '.join(labels) or '-'}")


def _as_dict(entry: "Entry", studio: Path) -> dict[str, Any]:
    return {
        "run": entry.id,
        "state": entry.state,
        "step": entry.step,
        "steps": entry.steps,
        "preset": entry.preset,
        "seed": entry.seed,
        "size": f"{entry.width}x{entry.height}",
        "prompt": entry.prompt,
        "similarity": entry.similarity,
        "seconds": round(entry.seconds, 3),
        "started": entry.started.isoformat(),
        "favourite": entry.favourite,
        "tags": list(entry.tags),
        "parent": entry.parent,
        "deleted": entry.trashed,
        "folder": str(entry.folder(studio)),
    }


def _details_as_dict(opened: "RunDetails", studio: Path) -> dict[str, Any]:
    run, curve = opened.run, opened.curve
    files = {"picture": run.picture, "film": run.video}
    relatives = ("parents", "children", "siblings")
    return {
        **_as_dict(opened.entry, studio),
        **{name: str(path) if path.is_file() else None for name, path in files.items()},
        **{name: [each.id for each in getattr(opened, name)] for name in relatives},
        "notice": run.notice,
        "curve": {"steps": curve.steps, "similarities": curve.similarities, "losses": curve.losses},
        "recipe": run.recipe.model_dump(mode="json"),
    }


def _first_and_last(column: list[float | None]) -> str:
    """The first and the last value of a curve, as text."""
    values = [value for value in column if value is not None]
    return f"{values[0]:.3f} → {values[-1]:.3f}" if values else ""


def _format_number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
