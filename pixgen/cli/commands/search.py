"""``pixgen index``, ``search`` and ``collections``: find pictures in folders and among your runs."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixgen.cli._options import FILTERS, MODELS, OUTPUT, AsJson, Device, EmbeddingCluster, OutputDir, example
from pixgen.cli._outputs import print_table, printable
from pixgen.cli._studio import open_cluster

if TYPE_CHECKING:
    from pixgen.studio import Studio
    from pixgen.studio.library.library import PictureLibrary, SearchFolder
    from pixgen.vision.search.collection import Hit
    from pixgen.vision.search.indexing import Progress, Reader

_MOST_LISTED = 20  # skipped files that a person sees; --json lists them all

Library = Annotated[
    str | None,
    typer.Option(
        help="Where collections are kept: a folder or s3://…. Default: $PIXGEN_LIBRARY, else “library” beside the runs.",
        metavar="ADDRESS",
        rich_help_panel=MODELS,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="The CLIP that embeds pictures. `pixgen models` lists them.",
        metavar="NAME",
        rich_help_panel=MODELS,
    ),
]


@example("pixgen index ~/Pictures --collection holidays")
def index(
    folder: Annotated[
        Path, typer.Argument(help="A folder of pictures; subfolders are included.", metavar="FOLDER")
    ],
    collection: Annotated[
        str | None,
        typer.Option(help="Its name. Default: the folder's name.", metavar="NAME", rich_help_panel=OUTPUT),
    ] = None,
    approximate: Annotated[
        bool,
        typer.Option(
            "--approximate",
            help="Build the approximate index, which large collections get automatically.",
            rich_help_panel=MODELS,
        ),
    ] = False,
    model: Model = None,
    library: Library = None,
    output_dir: OutputDir = None,
    device: Device = "auto",
    cluster: EmbeddingCluster = None,
    as_json: AsJson = False,
) -> None:
    """Index a folder of pictures for search; only new and changed files are read again.

    Ctrl-C loses nothing: the next call continues.
    """
    from pixgen.vision.search.library import check_name

    if collection is not None:
        check_name(collection)
    with _studio(output_dir, device) as studio:
        finder = _open_library(studio, library, model)
        place = finder.add(folder, name=collection)
        with _reader(cluster, finder.model) as reader:
            last = _show_progress(finder.refresh(place, reader=reader), quiet=as_json)
        found = finder.collection(place)
        if approximate:
            found.make_approximate()
        count, by_index = len(found), found.approximate
    if as_json:
        skipped = [{"path": each.path, "why": each.reason} for each in last.skipped]
        figures = {
            "collection": place.name,
            "model": finder.model,
            "pictures": count,
            "added": last.added,
            "changed": last.changed,
            "removed": last.removed,
            "unchanged": last.unchanged,
            "skipped": skipped,
            "approximate": by_index,
            "files_a_second": round(last.rate, 1),
        }
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    typer.echo(
        f"{place.name}: {count} pictures; {last.added} new, {last.changed} changed, {last.removed} removed, "
        f"{last.unchanged} unchanged, {len(last.skipped)} skipped."
    )
    for each in last.skipped[:_MOST_LISTED]:
        typer.echo(f"  skipped {printable(each.path)}: {printable(each.reason)}")
    if len(last.skipped) > _MOST_LISTED:
        typer.echo(f"  and {len(last.skipped) - _MOST_LISTED} more: --json lists them all.")


@example('pixgen search "a red car - snow" --collection holidays --top 5')
def search(
    query: Annotated[
        str | None, typer.Argument(help="Query: “a red car”, “horse + snow :2 - rider”, [PATH].")
    ] = None,
    picture: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also search by this picture. Can be given several times.",
            metavar="PATH",
            rich_help_panel=FILTERS,
        ),
    ] = None,
    collection: Annotated[
        str | None,
        typer.Option(
            help="Only this collection: “runs” are your pictures, “bundled” are drawings to try. Default: all but “bundled”.",
            metavar="NAME",
            rich_help_panel=FILTERS,
        ),
    ] = None,
    top: Annotated[int, typer.Option(help="Number of results.", metavar="N", rich_help_panel=OUTPUT)] = 20,
    threshold: Annotated[
        float,
        typer.Option(help="Minimum similarity: a cosine from -1 to 1.", metavar="X", rich_help_panel=FILTERS),
    ] = -1.0,
    after: Annotated[
        str | None,
        typer.Option(help="From this day on: 2026-11-23.", metavar="DATE", rich_help_panel=FILTERS),
    ] = None,
    before: Annotated[
        str | None, typer.Option(help="Before this day: 2026-11-23.", metavar="DATE", rich_help_panel=FILTERS)
    ] = None,
    within: Annotated[
        str,
        typer.Option("--in", help="Only in this subfolder.", metavar="SUBFOLDER", rich_help_panel=FILTERS),
    ] = "",
    side: Annotated[
        int, typer.Option(help="Minimum width and height in pixels.", metavar="N", rich_help_panel=FILTERS)
    ] = 0,
    prompt: Annotated[
        str,
        typer.Option(
            help="Your pictures with this in their prompt.", metavar="TEXT", rich_help_panel=FILTERS
        ),
    ] = "",
    preset: Annotated[
        str, typer.Option(help="Your pictures with this preset.", metavar="NAME", rich_help_panel=FILTERS)
    ] = "",
    image_model: Annotated[
        str,
        typer.Option(help="Your pictures with this image model.", metavar="NAME", rich_help_panel=FILTERS),
    ] = "",
    seed: Annotated[
        int | None, typer.Option(help="Your pictures with this seed.", metavar="N", rich_help_panel=FILTERS)
    ] = None,
    copies: Annotated[
        bool, typer.Option("--copies", help="Show near duplicates one by one.", rich_help_panel=OUTPUT)
    ] = False,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact", help="Compare every picture, without the approximate index.", rich_help_panel=MODELS
        ),
    ] = False,
    model: Model = None,
    library: Library = None,
    output_dir: OutputDir = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Find pictures by words, by pictures, or by sums of both."""
    from pixgen.vision.search.query import Filter, Term, parse_date, parse_query

    pictures = tuple(Term(picture=str(path)) for path in picture or ())
    terms = pictures if query is None and pictures else (*parse_query(query or ""), *pictures)
    only = Filter(
        after=parse_date(after) if after else None,
        before=parse_date(before) if before else None,
        folder=within,
        side=side,
        prompt=prompt,
        preset=preset,
        model=image_model,
        seed=seed,
    )
    with _studio(output_dir, device) as studio:
        finder = _open_library(studio, library, model)
        places = _choose_collections(finder, collection)
        vector = finder.embed(terms)
        how = {"top": top, "threshold": threshold, "fold": not copies, "exact": exact}
        found = [
            (hit, place)
            for place in places
            for hit in finder.search(place, vector, only=only, query=terms, **how)
        ]
    if len(places) > 1:  # a collection's own order counts captions too
        found = sorted(found, key=lambda each: -each[0].similarity)[:top]
    _print_hits(found, as_json=as_json)


@example("pixgen collections")
def collections(library: Library = None, output_dir: OutputDir = None, as_json: AsJson = False) -> None:
    """List the indexed collections."""
    with _studio(output_dir, "cpu") as studio:
        found = [
            {
                "collection": each.name,
                "model": each.model,
                "pictures": len(each),
                "approximate": each.approximate,
                "folder": each.source,
            }
            for each in _open_library(studio, library, None).library.collections()
        ]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    elif not found:
        typer.echo("No collections yet: make one with “pixgen index FOLDER”.")
    else:
        print_table(list(found[0]), [[_yes_or_no(value) for value in each.values()] for each in found])


def _studio(output_dir: Path | None, device: str):
    from pixgen.studio import Studio

    return Studio(output_dir, device=device)


@contextmanager
def _reader(cluster: str | None, model: str) -> "Iterator[Reader | None]":
    """What reads and embeds files on a cluster; None without one."""
    if not cluster:
        yield None
        return
    with open_cluster(cluster) as connection:
        from pixgen.cluster.data import read_files

        yield partial(read_files, connection, model)


def _open_library(studio: "Studio", library: str | None, model: str | None) -> "PictureLibrary":
    from pixgen.studio.library.library import PictureLibrary

    return PictureLibrary(studio, address=library, model=model)


def _choose_collections(finder: "PictureLibrary", name: str | None) -> "list[SearchFolder]":
    """The collections to search; the user's runs are brought up to date first, a moment for each new one."""
    from pixgen.errors import SearchError
    from pixgen.studio.library.library import BUNDLED, RUNS

    if name in (None, RUNS, BUNDLED):
        for _ in finder.refresh(finder.places[name or RUNS]):
            pass
    places = finder.list_indexed()
    if name is None:
        return [place for place in places if place.name != BUNDLED]
    if chosen := [place for place in places if place.name == name]:
        return chosen
    names = ", ".join(place.name for place in places) or "none yet: “pixgen index FOLDER” makes one"
    raise SearchError("There is no collection “{name}”: choose {names}.", name=name[:60], names=names)


def _show_progress(progress, *, quiet: bool) -> "Progress":
    """Run an indexing and return its last progress; a terminal shows a line with the current one."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    last = next(progress)
    with console.status("Searching for pictures") as status:
        for last in progress:
            left = f", {last.seconds_left:.0f} s left" if last.seconds_left is not None else ""
            if last.state == "looking" and not quiet:
                status.update(f"{last.done} of {last.total} files, {last.rate:.0f} a second{left}")
    return last


def _print_hits(found: "Sequence[tuple[Hit, SearchFolder]]", *, as_json: bool) -> None:
    if as_json:
        for hit, place in found:
            typer.echo(json.dumps(_as_dict(hit, place), ensure_ascii=False))
        return
    if not found:
        typer.echo("No picture matches: change the query or use fewer filters.")
        return
    for hit, place in found:
        more = f"  (and {len(hit.copies)} near duplicates)" if hit.copies else ""
        typer.echo(f"{hit.similarity:.3f}  {printable(str(place.folder / hit.row.path))}{more}")


def _as_dict(hit: "Hit", place: "SearchFolder") -> dict[str, Any]:
    row = hit.row
    facts = {
        "score": round(hit.similarity, 4),
        "collection": place.name,
        "path": str(place.folder / row.path),
        "width": row.width,
        "height": row.height,
        "copies": [str(place.folder / copy.path) for copy in hit.copies],
    }
    if row.seed is not None:
        facts |= {
            "prompt": row.prompt,
            "preset": row.preset,
            "model": row.model,
            "seed": row.seed,
        }
    return facts


def _yes_or_no(value: Any) -> object:
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
