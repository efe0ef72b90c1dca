"""Grids: one run per cell of a plan, as many at once as there are workers, in the foreground or as a ``GridJob``.

The file ``grid.json`` records the run of each cell, so that a stopped or killed grid resumes with the
missing cells. A labelled sheet shows all pictures of a grid, with the similarity of each to its prompts.
"""

import contextlib
import json
import logging
import re
import secrets
import shutil
import threading
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from PIL import Image, ImageDraw, PngImagePlugin

from pixgen.errors import InvalidValue, PictureError, PixgenError, RecipeError, StudioError
from pixgen.images import open_picture
from pixgen.recipe.recipe import Recipe, read_recipe
from pixgen.studio.fonts import TextRenderer
from pixgen.studio.jobs import Job
from pixgen.studio.metadata.picture_info import SOFTWARE
from pixgen.studio.runs.inputs import keep_pictures, named_files, resolve_kept_paths, trust_paths
from pixgen.studio.runs.run import Run, RunLock, mean_similarity
from pixgen.studio.storage import atomic_write, storage_errors, write_bytes
from pixgen.studio.studio import Studio
from pixgen.text_files import parse_json

log = logging.getLogger(__name__)
FOLDER = "grids"  # in the studio's folder
MOST_CELLS = 256
_LOOK_EVERY = 0.05  # seconds between two looks at jobs that are painted at once
HEARTBEAT = 1.0  # seconds at most between two updates of a watcher

_ID = re.compile(r"grid-\d{8}-\d{6}-[a-z0-9]{6}")
LARGEST_CELL = 256  # pixels: 256 cells of this size still make a picture that opens anywhere
MARGIN, GAP, LETTERS = 24, 12, 14
_LEFT_MARGIN = 176  # width of the row titles in pixels
INK, PALE, PAPER, EMPTY = (40, 40, 46), (120, 120, 130), (255, 255, 255), (238, 238, 242)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One picture of a grid: its recipe, and the id of its run once it has one."""

    recipe: Recipe
    run: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of a grid: titles of rows and columns, and the cells row by row.

    Raises RecipeError if there are more than ``MOST_CELLS``.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    title: str = ""

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.rows) * len(self.columns):
            raise InvalidValue("a grid needs a cell for every row and column")
        if len(self.cells) > MOST_CELLS:
            raise RecipeError(
                "A grid may have at most {limit} pictures, not {count}: give fewer values.",
                limit=MOST_CELLS,
                count=len(self.cells),
            )


class Grid:
    """A plan and its runs in a studio, from ``make`` or ``read``. Any thread may ``stop`` it."""

    def __init__(self, studio: Studio, folder: Path, plan: Plan, *, owner: str = "") -> None:
        self.folder, self.plan, self.owner = folder, plan, owner
        self._studio = studio
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # guards the jobs
        self._jobs: list[Job] = []  # that have not ended

    @classmethod
    def make(cls, studio: Studio, plan: Plan, *, owner: str = "", trusted: Collection[str] = ()) -> "Grid":
        """Create a grid, and copy the pictures that its cells name. Nothing is painted yet.

        Args:
            owner: who submits it.
            trusted: as for ``Studio.submit``.

        Raises RecipeError if a cell asks for more than the studio allows, PictureError, StorageError.
        """
        for cell in plan.cells:
            studio.policy.check(cell.recipe)
        name = f"grid-{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        grid = cls(studio, studio.folder / FOLDER / name, plan, owner=owner)
        with storage_errors(grid.folder):
            grid.folder.mkdir(parents=True)
        try:
            grid._keep_pictures(trusted)
            grid._save()
        except BaseException:
            shutil.rmtree(grid.folder, ignore_errors=True)
            raise
        return grid

    @classmethod
    def read(cls, studio: Studio, name: str) -> "Grid":
        """Read a saved grid by its name. Raises StudioError if there is none."""
        folder = studio.folder / FOLDER / name
        if not _ID.fullmatch(name) or not folder.is_dir():
            raise StudioError("There is no grid “{name}” in this folder.", name=name[:60])
        try:
            kept = parse_json((folder / "grid.json").read_text("utf-8"))
            cells = tuple(
                Cell(recipe=read_recipe(json.dumps(each["recipe"])), run=each["run"])
                for each in kept["cells"]
            )
            plan = Plan(
                rows=tuple(kept["rows"]),
                columns=tuple(kept["columns"]),
                cells=cells,
                title=kept["title"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StudioError(
                "The grid {name} cannot be read: its file is incomplete or broken.", name=name
            ) from error
        return cls(studio, folder, plan, owner=kept.get("owner", ""))

    @property
    def id(self) -> str:
        """The folder's name, ``grid-YYYYMMDD-HHMMSS-abcdef``."""
        return self.folder.name

    @property
    def at_once(self) -> int:
        """How many cells are painted at once: one on each of the studio's workers."""
        return max(1, len(self._studio.workers))

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopping.is_set()

    def runs(self) -> list[Run | None]:
        """The current run of every cell, row by row; None without one, or if it was deleted."""
        return [self._run(cell) for cell in self.plan.cells]

    def paint(self, *, owner: str = "") -> Generator[tuple[int, Job], None, None]:
        """Paint the missing cells, as many at once as the studio has workers; yields the index and the job of each
        when it is submitted. All have ended when the generator has.

        Raises the error of a failed job, and StudioError if the grid is being painted already.
        """
        run_lock = RunLock(self.folder)
        try:
            for index, cell in enumerate(self.plan.cells):
                run = self._run(cell)
                if run is not None and run.state == "done":
                    continue
                job = self._submit(cell, run, owner)
                if job is None:
                    break
                self._keep(index, job.id)
                yield index, job
                while len(self._jobs) >= self.at_once:
                    self._wait_for_one()
            while self._jobs:
                self._wait_for_one()
        finally:
            jobs = [job for job in self._jobs if not job.ended]
            for job in jobs:
                job.stop()
            for job in jobs:
                job.wait()
            run_lock.release()

    def stop(self) -> None:
        """Stop after the current steps; finished cells stay, and the others can be painted later."""
        with self._lock:
            self._stopping.set()
            for job in self._jobs:
                job.stop()

    def _submit(self, cell: Cell, run: Run | None, owner: str) -> Job | None:
        """The job of a cell; None once the grid is stopped."""
        while True:
            with self._lock:
                if self.stopping:
                    return None
                try:
                    if run is not None:
                        job = self._studio.resume(run.id, owner=owner)
                    else:
                        recipe = resolve_kept_paths(cell.recipe, self.folder)
                        kept = named_files(recipe) - named_files(cell.recipe)
                        job = self._studio.submit(recipe, owner=owner, trusted=kept)
                    self._jobs.append(job)
                    return job
                except StudioError:
                    if not self._jobs:
                        raise
            self._wait_for_one()  # the owner may have no more in the queue: when one has ended, there is a place

    def _wait_for_one(self) -> None:
        """Wait until one of the jobs has ended. Raises its error."""
        while not (ended := [job for job in self._jobs if job.ended]):
            self._jobs[0].wait(_LOOK_EVERY)
        with self._lock:
            self._jobs = [job for job in self._jobs if job not in ended]
        for job in ended:
            if job.error is not None:
                raise job.error

    def _keep_pictures(self, trusted: Collection[str]) -> None:
        """Copy the pictures, which cells that are painted hours later must still find."""
        find = trust_paths(self._studio.find_picture, trusted)
        cells = tuple(
            replace(cell, recipe=keep_pictures(cell.recipe, self.folder, find=find))
            for cell in self.plan.cells
        )
        self.plan = replace(self.plan, cells=cells)

    def _run(self, cell: Cell) -> Run | None:
        if not cell.run:
            return None
        try:
            return self._studio.run(cell.run)
        except StudioError:  # deleted, or killed before its first save
            return None

    def _keep(self, index: int, run: str) -> None:
        cells = list(self.plan.cells)
        cells[index] = replace(cells[index], run=run)
        self.plan = replace(self.plan, cells=tuple(cells))
        self._save()

    def _save(self) -> None:
        plan = self.plan
        value = {
            "title": plan.title,
            "owner": self.owner,
            "rows": plan.rows,
            "columns": plan.columns,
            "cells": [{"recipe": json.loads(cell.recipe.to_json()), "run": cell.run} for cell in plan.cells],
        }
        text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
        write_bytes(self.folder / "grid.json", text.encode())


class GridJob:
    """Paints the missing cells of a grid on a background thread. Any thread may call any method."""

    def __init__(self, grid: Grid, *, owner: str = "") -> None:
        self.grid, self.owner = grid, owner
        self.error: PixgenError | None = None
        self._changed = threading.Condition()
        self._cells: dict[int, Job] = {}
        self._ended = False
        threading.Thread(target=self._run_thread, name=f"grid {grid.id}", daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether the grid is done, stopped or failed."""
        return self._ended

    @property
    def current_cells(self) -> dict[int, Job]:
        """The jobs of the cells that are running or waiting, by the cell's index."""
        with self._changed:
            return {cell: job for cell, job in self._cells.items() if not job.ended}

    def stop(self) -> None:
        """Stop after the current step; finished cells stay."""
        self.grid.stop()

    def watch(self, *, rate: float = 2.0) -> Iterator[None]:
        """Yield at once, then at most ``rate`` and at least one time a second, and when the grid has ended."""
        while not self._ended:
            yield
            with self._changed:
                self._changed.wait_for(lambda: self._ended, timeout=min(HEARTBEAT, 1 / rate))
        yield

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most ``timeout`` seconds; returns whether it has ended."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ended, timeout)

    def _run_thread(self) -> None:
        try:
            with contextlib.closing(self.grid.paint(owner=self.owner)) as painting:
                for cell, job in painting:
                    with self._changed:
                        self._cells = {**self.current_cells, cell: job}
        except PixgenError as error:
            self.error = error
        except Exception:
            log.exception("the grid %s failed", self.grid.id)
            self.error = StudioError("An unexpected error occurred; the log has the details.")
        finally:
            with self._changed:
                self._ended, self._cells = True, {}
                self._changed.notify_all()


def draw_sheet(plan: Plan, runs: Sequence[Run | None]) -> Image.Image:
    """Draw a grid: titles above and on the left, and each picture with its similarity below; cells without
    a picture stay empty."""
    width, height = _cell_size(plan)
    renderer = TextRenderer(LETTERS)
    line = LETTERS + 6
    left_titles = [renderer.wrap(title, _LEFT_MARGIN) for title in plan.rows]
    top_titles = [renderer.wrap(title, max(48, width)) for title in plan.columns]
    left = MARGIN + max(
        (round(renderer.width(part)) + GAP for lines in left_titles for part in lines), default=0
    )
    across = left + len(plan.columns) * (width + GAP) - GAP + MARGIN
    heading = renderer.wrap(plan.title, max(160, across - 2 * MARGIN))
    head = MARGIN + line * len(heading) + (GAP if heading else 0)
    top = head + line * max(map(len, top_titles), default=0)
    down = top + len(plan.rows) * (height + line + GAP) - GAP + MARGIN
    sheet = Image.new("RGB", (across, down), PAPER)
    canvas = ImageDraw.Draw(sheet)
    renderer.draw_lines(canvas, (MARGIN, MARGIN), heading, INK, line=line)
    for column, lines in enumerate(top_titles):
        place = (left + column * (width + GAP), head)
        renderer.draw_lines(canvas, place, lines, INK, line=line)
    for index, run in enumerate(runs):
        row, column = divmod(index, len(plan.columns))
        x, y = left + column * (width + GAP), top + row * (height + line + GAP)
        if column == 0:
            renderer.draw_lines(canvas, (MARGIN, y), left_titles[row], INK, line=line)
        picture = None if run is None else _cell_picture(run, (width, height))
        if run is None or picture is None:
            canvas.rectangle((x, y, x + width - 1, y + height - 1), fill=EMPTY)
            continue
        sheet.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
        match = mean_similarity(run)
        if match is not None:
            renderer.draw(canvas, (x, y + height + 3), f"{match:.3f}", PALE)
    return sheet


def save_sheet(sheet: Image.Image, path: Path, *, plan: Plan) -> None:
    """Write a sheet as a PNG with the run ids of its cells in its metadata. Raises StorageError."""
    text = PngImagePlugin.PngInfo()
    text.add_text("pixgen grid", " ".join(cell.run or "-" for cell in plan.cells))
    text.add_text("Software", SOFTWARE)
    with atomic_write(path) as temporary:
        sheet.save(temporary, "PNG", pnginfo=text)


def _cell_size(plan: Plan) -> tuple[int, int]:
    width = max(cell.recipe.width for cell in plan.cells)
    height = max(cell.recipe.height for cell in plan.cells)
    scale = min(1.0, LARGEST_CELL / max(width, height))
    return round(width * scale), round(height * scale)


def _cell_picture(run: Run, size: tuple[int, int]) -> Image.Image | None:
    try:
        picture = open_picture(run.picture).convert("RGB")
    except PictureError:  # nothing painted yet
        return None
    picture.thumbnail(size, Image.Resampling.LANCZOS)
    return picture
