"""A collection: the vectors and facts of pictures as one LanceDB table, to add to, delete from and search.

LanceDB reads the whole table for each exact search, which takes seconds for a million vectors. So a large
collection also has its vectors as one array in a file, mapped into memory: the system keeps as much of it in memory
as fits. Near duplicates among the pictures found are grouped.
"""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pixgen.errors import SearchError
from pixgen.vision.search.query import EVERYTHING, Filter

if TYPE_CHECKING:
    import pyarrow
    from lancedb.expr import Expr
    from lancedb.table import Table


VECTOR_FILE_FROM = 20_000  # vectors: below, LanceDB's own search takes a few hundredths of a second
_CHUNK = 1 << 15  # vectors for each task of a thread
MOST_HITS = 1000  # results at once
DUPLICATE = 0.985  # cosine from which two pictures count as one, rescaled or recompressed
_CANDIDATES_PER_HIT = 2  # so that enough hits are left after grouping duplicates


class VectorFile:
    """The vectors of one version of a table, as an array in a file.

    Args:
        folder: of the file, which is written if it is missing; files of older versions are deleted.
    """

    def __init__(self, folder: Path, table: "Table") -> None:
        self.version = table.version
        self._table = table
        name = f"{table.name}-{self.version}"
        vectors, ids = folder / f"{name}.vectors.npy", folder / f"{name}.ids.npy"
        if not ids.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _write_arrays(table, vectors=vectors, ids=ids)
            for old in {*folder.glob(f"{table.name}-*.npy")} - {vectors, ids}:
                old.unlink(missing_ok=True)  # open files stay readable
        self._ids, self._vectors = (np.load(path, mmap_mode="r") for path in (ids, vectors))

    def nearest(
        self, vector: np.ndarray, *, top: int, only: "Expr | None" = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Row ids and cosines of the ``top`` vectors nearest to a unit vector ``(D,)``, best first."""
        starts = range(0, len(self._vectors), _CHUNK)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            parts = pool.map(partial(self._cosines, vector), starts)
            cosines = np.concatenate([*parts, np.zeros(0, np.float32)])
        if only is not None:
            found = self._table.search().where(only).select([]).with_row_id(True).limit(None)
            allowed = found.to_arrow()["_rowid"].to_numpy()
            cosines[~np.isin(self._ids, allowed)] = -np.inf
        top = min(top, len(cosines))
        best = np.argpartition(-cosines, top - 1)[:top] if top else np.zeros(0, np.int64)
        best = best[np.argsort(-cosines[best], kind="stable")]
        best = best[cosines[best] > -np.inf]
        return np.array(self._ids[best]), cosines[best]

    def _cosines(self, vector: np.ndarray, start: int) -> np.ndarray:
        return self._vectors[start : start + _CHUNK] @ vector


def _write_arrays(table: "Table", *, vectors: Path, ids: Path) -> None:
    """Write both files, the ids last: if they exist, so do the vectors."""
    size = table.schema.field("vector").type.list_size
    numbers, filled = np.zeros(table.count_rows(), np.uint64), 0
    unfinished = vectors.with_name(f"{vectors.name}.{os.getpid()}.tmp")
    array = np.lib.format.open_memmap(unfinished, "w+", np.float32, (len(numbers), size))
    rows = table.search().select(["vector"]).with_row_id(True).limit(None)
    for batch in rows.to_batches():
        count = batch.num_rows
        numbers[filled : filled + count] = batch["_rowid"].to_numpy()
        array[filled : filled + count] = batch["vector"].flatten().to_numpy().reshape(count, size)
        filled += count
    array.flush()
    unfinished.replace(vectors)
    with unfinished.open("wb") as file:
        np.save(file, numbers)
    unfinished.replace(ids)


KEY = "pixgen"  # in a table's metadata
_FACT_COLUMNS = ("path", "folder", "size", "modified", "sha256", "width", "height", "prompt", "preset",
          "model", "seed", "owner")  # fmt: skip
_PATHS_PER_CONDITION = 500  # paths in one SQL condition
APPROXIMATE_FROM = 100_000  # pictures: below, an exact search takes less than 0.25 s
FEWEST_FOR_INDEX = 1000
_PROBES, _REFINE = 32, 4  # partitions searched; exact comparisons as a multiple of the results


@dataclass(frozen=True, kw_only=True)
class Row:
    """The facts of a picture in a collection; those from ``prompt`` on are for pictures of the gallery's runs."""

    path: str
    size: int
    modified: int  # nanoseconds since 1970
    sha256: str
    width: int
    height: int
    prompt: str = ""
    preset: str = ""
    model: str = ""
    seed: int | None = None
    owner: str = ""

    @property
    def folder(self) -> str:
        """The folder of its path; empty at the top."""
        return self.path.rpartition("/")[0]


class Collection:
    """Pictures as a perceptor's unit vectors, made by a Library. Thread-safe.

    ``folder`` is for the vector file of a large collection; None writes none.
    """

    def __init__(self, table: "Table", *, folder: Path | None = None) -> None:
        facts = json.loads(table.schema.metadata[KEY.encode()])
        self.name: str = facts["name"]
        self.model: str = facts["model"]
        self.source: str = facts["source"]
        self.dimensions: int = table.schema.field("vector").type.list_size
        self._table, self._folder = table, folder
        self._lock = threading.Lock()
        self._kept: VectorFile | None = None

    def __len__(self) -> int:
        with lance_errors(self.name):
            return self._table.count_rows()

    @property
    def approximate(self) -> bool:
        """Whether there is an approximate index."""
        with lance_errors(self.name):
            return bool(self._table.list_indices())

    def fingerprints(self) -> dict[str, tuple[int, int, str]]:
        """``(size, modified, sha256)`` by path.

        A picture that occurs twice, because two processes indexed a folder at once, is removed, so that it is
        indexed again.
        """
        found: dict[str, tuple[int, int, str]] = {}
        twice = set()
        with lance_errors(self.name):
            columns = ["path", "size", "modified", "sha256"]
            for batch in self._table.search().select(columns).limit(None).to_batches():
                for path, *facts in zip(*(each.to_pylist() for each in batch.columns), strict=True):
                    if path in found:
                        twice.add(path)
                    found[path] = tuple(facts)
        self.remove(twice)
        return {path: facts for path, facts in found.items() if path not in twice}

    def add(self, rows: Sequence[Row], vectors: np.ndarray) -> None:
        """Add pictures with their unit vectors ``(N, D)``; after an error none is added."""
        import pyarrow

        columns = {name: [getattr(row, name) for row in rows] for name in _FACT_COLUMNS}
        flat = pyarrow.array(np.ascontiguousarray(vectors, np.float32).reshape(-1))
        columns["vector"] = pyarrow.FixedSizeListArray.from_arrays(flat, self.dimensions)
        with lance_errors(self.name):
            self._table.add(pyarrow.table(columns, schema=schema(self.dimensions)))

    def remove(self, paths: Sequence[str] | set[str]) -> None:
        """Remove pictures by path; a missing one is no error."""
        from lancedb.expr import col, lit

        paths = sorted(paths)
        with lance_errors(self.name):
            for start in range(0, len(paths), _PATHS_PER_CONDITION):
                some = paths[start : start + _PATHS_PER_CONDITION]
                self._table.delete(col("path").isin([lit(path) for path in some]))

    def touch(self, modified: dict[str, int]) -> None:
        """Store new times of files whose bytes have not changed."""
        from lancedb.expr import col, lit

        with lance_errors(self.name):
            paths = sorted(modified)
            for start in range(0, len(paths), _PATHS_PER_CONDITION):
                some = [lit(path) for path in paths[start : start + _PATHS_PER_CONDITION]]
                rows = self._table.search().where(col("path").isin(some)).to_arrow()
                times = [modified[path] for path in rows["path"].to_pylist()]
                place = rows.schema.get_field_index("modified")
                rows = rows.set_column(place, rows.schema.field(place), [times])
                self._table.merge_insert("path").when_matched_update_all().execute(rows)

    def nearest(
        self, vector: np.ndarray, *, top: int, only: Filter = EVERYTHING, exact: bool = False
    ) -> "list[tuple[Row, float, np.ndarray]]":
        """The ``top`` pictures nearest to a unit vector ``(D,)``: row, cosine and vector, best first.

        Args:
            exact: compare every picture even if there is an approximate index.
        """
        condition = only.as_condition()
        with lance_errors(self.name):
            if (exact or not self._table.list_indices()) and (flat := self._flat()) is not None:
                ids, scores = flat.nearest(vector, top=top, only=condition)
                if not len(ids):
                    return []
                taken = self._table.take_row_ids(ids.tolist()).select([*_FACT_COLUMNS, "vector"])
                found = taken.with_row_id().to_arrow()
                place = {row_id: place for place, row_id in enumerate(found["_rowid"].to_pylist())}
                there = [row_id in place for row_id in ids.tolist()]  # not removed meanwhile
                return _to_hits(found.take([place[row_id] for row_id in ids[there].tolist()]), scores[there])
            query: Any = self._table.search(vector)  # a vector's query, which its type does not say
            search = query.distance_type("dot")
            if exact:
                search = search.bypass_vector_index()
            else:  # without an index these have no effect
                search = search.nprobes(_PROBES).refine_factor(_REFINE)
            if condition is not None:
                search = search.where(condition)
            found = search.select([*_FACT_COLUMNS, "vector", "_distance"]).limit(top).to_arrow()
        # LanceDB's distance of unit vectors is 1 - cosine.
        return _to_hits(found, 1 - found["_distance"].to_numpy())

    def _flat(self) -> VectorFile | None:
        """The vector file, if the collection is large and has a folder for it."""
        if self._folder is None or self._table.count_rows() < VECTOR_FILE_FROM:
            return None
        with self._lock:
            if self._kept is None or self._kept.version != self._table.version:
                self._kept = VectorFile(self._folder, self._table)
            return self._kept

    def vector(self, path: str, *, only: Filter = EVERYTHING) -> np.ndarray | None:
        """The unit vector ``(D,)`` of a picture, or None if it is missing or filtered out."""
        from lancedb.expr import col, lit

        condition, more = col("path") == lit(path), only.as_condition()
        with lance_errors(self.name):
            search = self._table.search().where(condition if more is None else condition & more)
            found = search.select(["vector"]).limit(1).to_arrow()
        return found["vector"][0].values.to_numpy() if found.num_rows else None

    def compact(self) -> None:
        """Compact the table after many small additions, and update its index.

        Above ``APPROXIMATE_FROM`` pictures an index is made.
        """
        with lance_errors(self.name):
            self._table.optimize()
        if len(self) > APPROXIMATE_FROM and not self.approximate:
            self.make_approximate()

    def make_approximate(self) -> None:
        """Make an approximate index (IVF with scalar quantisation).

        The vectors are clustered around as many centres as the square root of their number, and a search compares
        those of the nearest clusters; the best candidates are compared exactly.
        Raises SearchError below ``FEWEST_FOR_INDEX`` pictures.
        """
        from lancedb.index import IvfSq

        count = len(self)
        if count < FEWEST_FOR_INDEX:
            raise SearchError(
                "“{name}” has {count} pictures: an approximate index needs at least {fewest_for_index}. "
                "Fewer are searched quickly without one.",
                name=self.name,
                count=count,
                fewest_for_index=FEWEST_FOR_INDEX,
            )
        # 64 samples a centre and few iterations cluster as well as the defaults here, in a tenth of the time.
        parts = IvfSq(
            distance_type="dot", num_partitions=round(count**0.5), sample_rate=64, max_iterations=15
        )
        with lance_errors(self.name):
            self._table.create_index("vector", config=parts, replace=True)


def is_collection(table: "Table") -> bool:
    """Whether a table was made by pixgen."""
    return KEY.encode() in (table.schema.metadata or {})


@contextmanager
def lance_errors(name: str) -> Iterator[None]:
    """Turn what LanceDB raises into a SearchError."""
    try:
        yield
    except (RuntimeError, OSError, ValueError) as error:
        if "no space left" in str(error).lower():
            raise SearchError("The disk is full: free some space and try again.") from error
        raise SearchError(
            "The collection “{name}” cannot be read or written: check its folder, or index it again.",
            name=name,
        ) from error


def schema(dimensions: int) -> "pyarrow.Schema":
    """A table's columns, with vectors of ``dimensions`` numbers."""
    import pyarrow

    whole = {"size", "modified", "seed"}
    types = {name: pyarrow.int64() if name in whole else pyarrow.string() for name in _FACT_COLUMNS}
    types |= {"width": pyarrow.int32(), "height": pyarrow.int32()}
    return pyarrow.schema([*types.items(), ("vector", pyarrow.list_(pyarrow.float32(), dimensions))])


def _to_hits(found: "pyarrow.Table", scores: np.ndarray) -> list[tuple[Row, float, np.ndarray]]:
    names = [name for name in _FACT_COLUMNS if name != "folder"]
    facts = found.select(names).to_pylist()
    vectors = found["vector"].combine_chunks().flatten().to_numpy()
    vectors = vectors.reshape(len(facts), found.schema.field("vector").type.list_size)
    return [
        (Row(**each), float(score), vector)
        for each, score, vector in zip(facts, scores, vectors, strict=True)
    ]


@dataclass(frozen=True)
class Hit:
    """A result: the picture's facts, its cosine with the query, and its near duplicates."""

    row: Row
    similarity: float  # the cosine
    copies: tuple[Row, ...] = ()


def find_nearest(
    collection: Collection,
    vector: np.ndarray,
    *,
    top: int = 20,
    threshold: float = -1.0,
    only: Filter = EVERYTHING,
    fold: bool = True,
    exact: bool = False,
    without: str = "",
) -> list[Hit]:
    """The ``top`` pictures nearest to a query's unit vector ``(D,)``, best first.

    Args:
        threshold: the minimum cosine.
        only: a filter of the pictures.
        fold: group near duplicates into one hit with ``copies``.
        exact: compare every picture even if there is an approximate index.
        without: the path of a picture to leave out, because it is the query.

    Raises SearchError.
    """
    if not 1 <= top <= MOST_HITS:
        raise SearchError("The number of results must be from 1 to {limit}.", limit=MOST_HITS)
    if not -1 <= threshold <= 1:
        raise SearchError("The threshold is a cosine: choose it from -1 to 1.")
    wanted = top + bool(without)
    while True:
        asked = wanted * _CANDIDATES_PER_HIT if fold else wanted
        nearest = collection.nearest(vector, top=asked, only=only, exact=exact)
        hits = _fold_duplicates([each for each in nearest if each[0].path != without], fold=fold)
        # Many duplicates can use up the candidates: fetch more until there are enough or no more.
        if len(hits) >= top or len(nearest) < asked or asked >= 16 * MOST_HITS:
            break
        wanted *= 2
    return [hit for hit in hits if hit.similarity >= threshold][:top]


def _fold_duplicates(nearest: list[tuple[Row, float, np.ndarray]], *, fold: bool) -> list[Hit]:
    """Hits in order; each absorbs its near duplicates that follow."""
    hits: list[Hit] = []
    if not nearest:
        return hits
    shown = np.empty((len(nearest), len(nearest[0][2])), np.float32)
    for row, score, vector in nearest:
        if fold and hits:
            similarities = shown[: len(hits)] @ vector
            best = int(similarities.argmax())
            if similarities[best] >= DUPLICATE:
                hit = hits[best]
                hits[best] = Hit(hit.row, hit.similarity, (*hit.copies, row))
                continue
        shown[len(hits)] = vector
        hits.append(Hit(row, score))
    return hits
