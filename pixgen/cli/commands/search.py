"""``pixgen index``, ``search`` and ``collections``: find pictures in folders and among own runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pixgen.cli._listings import printable, table
from pixgen.cli._options import AsJson, Device, OutputDir

if TYPE_CHECKING:
    from pixgen.studio.library.library import PictureLibrary, Place
    from pixgen.vision.search.indexing import Progress
    from pixgen.vision.search.search import Hit

_LISTED = 20  # skipped files that a person reads; a machine reads them all

Library = Annotated[
    str | None,
    typer.Option(
        help="Where collections are kept: a folder or s3://…; else $PIXGEN_LIBRARY, else “library” beside the runs.",
        metavar="ADDRESS",
    ),
]
Model = Annotated[str | None, typer.Option(help="What looks; `pixgen models` lists them.", metavar="NAME")]


def index(
    folder: Annotated[Path, typer.Argument(help="The pictures, subfolders included.", metavar="FOLDER")],
    collection: Annotated[
        str | None, typer.Option(help="A name for it; else the folder's own.", metavar="NAME")
    ] = None,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="Make the index that large collections get by themselves.")
    ] = False,
    model: Model = None,
    library: Library = None,
    output_dir: OutputDir = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Make a folder's pictures findable; again, only what is new or changed is looked at.

    Ctrl-C loses nothing that was written: the next time goes on.
    """
    from pixgen.vision.search.library import check_name

    if collection is not None:
        check_name(collection)
    with _studio(output_dir, device) as studio:
        finder = _finder(studio, library, model)
        place = finder.add(folder, name=collection)
        last = _show_progress(finder.refresh(place), quiet=as_json)
        found = finder.collection(place)
        if approximate:
            found.make_approximate()
        count, by_index = len(found), found.approximate
    if as_json:
        skipped = [{"path": each.path, "why": each.reason} for each in last.skipped]
        figures = {
            "collection": place.name, "model": finder.model, "pictures": count, "added": last.added,
            "changed": last.changed, "removed": last.removed, "unchanged": last.unchanged,
            "skipped": skipped, "approximate": by_index, "files_a_second": round(last.rate, 1),
        }  # fmt: skip
        typer.echo(json.dumps(figures, ensure_ascii=False))
        return
    typer.echo(
        f"{place.name}: {count} pictures; {last.added} new, {last.changed} changed, {last.removed} removed, "
        f"{last.unchanged} as before, {len(last.skipped)} skipped."
    )
    for each in last.skipped[:_LISTED]:
        typer.echo(f"  skipped {printable(each.path)}: {printable(each.reason)}")
    if len(last.skipped) > _LISTED:
        typer.echo(f"  and {len(last.skipped) - _LISTED} more: --json lists them all.")


def search(
    query: Annotated[
        str | None, typer.Argument(help="What to find: “a red car”, “horse + 2:snow - rider”, [PATH].")
    ] = None,
    picture: Annotated[
        list[Path] | None, typer.Option(help="Like this picture too; several add up.", metavar="PATH")
    ] = None,
    collection: Annotated[
        str | None, typer.Option(help="Only here: “runs” are own pictures, “bundled” drawings to try; else everywhere.", metavar="NAME")
    ] = None,
    top: Annotated[int, typer.Option(help="How many.", metavar="N")] = 20,
    threshold: Annotated[float, typer.Option(help="The least cosine, from -1 to 1.", metavar="X")] = -1.0,
    after: Annotated[str | None, typer.Option(help="Not older, 2026-11-23.", metavar="DATE")] = None,
    before: Annotated[str | None, typer.Option(help="Older, 2026-11-23.", metavar="DATE")] = None,
    within: Annotated[str, typer.Option("--in", help="Only in this subfolder.", metavar="SUBFOLDER")] = "",
    side: Annotated[int, typer.Option(help="At least so wide and high, in pixels.", metavar="N")] = 0,
    prompt: Annotated[str, typer.Option(help="Own pictures with this in their prompt.", metavar="TEXT")] = "",
    preset: Annotated[str, typer.Option(help="Own pictures of this preset.", metavar="NAME")] = "",
    drawn_by: Annotated[str, typer.Option(help="Own pictures of this drawing model.", metavar="NAME")] = "",
    seed: Annotated[int | None, typer.Option(help="Own pictures of this seed.", metavar="N")] = None,
    copies: Annotated[bool, typer.Option("--copies", help="Show near duplicates one by one.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Compare every picture, index or not.")] = False,
    model: Model = None, library: Library = None, output_dir: OutputDir = None, device: Device = "auto",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Find pictures by words, by pictures, or by sums of both."""
    from pixgen.vision.search.filters import Filter, parse_date
    from pixgen.vision.search.query import Term, parse_query

    pictures = tuple(Term(picture=str(path)) for path in picture or ())
    terms = pictures if query is None and pictures else (*parse_query(query or ""), *pictures)
    only = Filter(
        after=parse_date(after) if after else None,
        before=parse_date(before) if before else None,
        folder=within,
        side=side,
        prompt=prompt,
        preset=preset,
        model=drawn_by,
        seed=seed,
    )
    with _studio(output_dir, device) as studio:
        finder = _finder(studio, library, model)
        places = _places(finder, collection)
        vector = finder.embed(terms)
        how = {"top": top, "threshold": threshold, "fold": not copies, "exact": exact}
        found = [(hit, place) for place in places for hit in finder.search(place, vector, only=only, **how)]
    found = sorted(found, key=lambda each: -each[0].similarity)[:top]
    _show(found, as_json=as_json)


def collections(library: Library = None, output_dir: OutputDir = None, as_json: AsJson = False) -> None:
    """List what has been indexed."""
    with _studio(output_dir, "cpu") as studio:
        found = [
            {
                "collection": each.name,
                "model": each.model,
                "pictures": len(each),
                "approximate": each.approximate,
                "folder": each.source,
            }
            for each in _finder(studio, library, None).library.collections()
        ]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    elif not found:
        typer.echo("No collections yet: make one with “pixgen index FOLDER”.")
    else:
        table(list(found[0]), [[_word(value) for value in each.values()] for each in found])


def _studio(output_dir: Path | None, device: str):
    from pixgen.studio import Studio

    return Studio(output_dir, device=device)


def _finder(studio: Any, library: str | None, model: str | None) -> "PictureLibrary":
    from pixgen.studio.library.library import PictureLibrary

    return PictureLibrary(studio, address=library, model=model)


def _places(finder: "PictureLibrary", name: str | None) -> "list[Place]":
    """Where to search; own runs are brought up to date first, which takes a moment each."""
    from pixgen.errors import SearchError
    from pixgen.studio.library.library import BUNDLED, RUNS

    if name in (None, RUNS, BUNDLED):
        for _ in finder.refresh(finder.places[name or RUNS]):
            pass
    places = finder.indexed()
    if name is None:
        return [place for place in places if place.name != BUNDLED]
    if chosen := [place for place in places if place.name == name]:
        return chosen
    names = ", ".join(place.name for place in places) or "none yet: “pixgen index FOLDER” makes one"
    raise SearchError("There is no collection “{name}”: choose {names}.", name=name[:60], names=names)


def _show_progress(progress, *, quiet: bool) -> "Progress":
    """The last progress; on a terminal, a line that tells each."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    last = next(progress)
    with console.status("Looking for pictures") as status:
        for last in progress:
            left = f", {last.seconds_left:.0f} s left" if last.seconds_left is not None else ""
            if last.state == "looking" and not quiet:
                status.update(f"{last.done} of {last.total} files, {last.rate:.0f} a second{left}")
    return last


def _show(found: "Sequence[tuple[Hit, Place]]", *, as_json: bool) -> None:
    if as_json:
        for hit, place in found:
            typer.echo(json.dumps(_as_dict(hit, place), ensure_ascii=False))
        return
    if not found:
        typer.echo("Nothing was found: look for something else, or ask for less.")
        return
    for hit, place in found:
        more = f"  (and {len(hit.copies)} alike)" if hit.copies else ""
        typer.echo(f"{hit.similarity:.3f}  {printable(str(place.folder / hit.row.path))}{more}")


def _as_dict(hit: "Hit", place: "Place") -> dict[str, Any]:
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


def _word(value: Any) -> object:
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
