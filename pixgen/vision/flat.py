"""A large collection's vectors as one array in a file, so that comparing all of them is one pass.

LanceDB reads a table anew for each exact search, which takes seconds for a million vectors. The file
is mapped into memory: the system keeps what it has room for, and no process has to.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lancedb.expr import Expr
    from lancedb.table import Table

WORTH_IT = 20_000  # vectors: below, LanceDB's own pass takes a few hundredths of a second
_AT_ONCE = 1 << 15  # vectors a piece of work


class Flat:
    """The vectors of one version of a table.

    Args:
        folder: where the file is, or is made now; those of older versions go.
    """

    def __init__(self, folder: Path, table: "Table") -> None:
        self.version = table.version
        self._table = table
        name = f"{table.name}-{self.version}"
        vectors, ids = folder / f"{name}.vectors.npy", folder / f"{name}.ids.npy"
        if not ids.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _write(table, vectors=vectors, ids=ids)
            for old in {*folder.glob(f"{table.name}-*.npy")} - {vectors, ids}:
                old.unlink(missing_ok=True)  # whoever has it open keeps it
        self._ids, self._vectors = (np.load(path, mmap_mode="r") for path in (ids, vectors))

    def nearest(
        self, vector: np.ndarray, *, top: int, only: "Expr | None" = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Row ids and cosines of the ``top`` vectors nearest to a unit vector ``(D,)``, the best first."""
        starts = range(0, len(self._vectors), _AT_ONCE)
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
        return self._vectors[start : start + _AT_ONCE] @ vector


def _write(table: "Table", *, vectors: Path, ids: Path) -> None:
    """Write both files; the ids last, so that they are there only if the vectors are."""
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
