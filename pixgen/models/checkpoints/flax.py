"""Flax's checkpoints, read without flax: nested maps of arrays in MessagePack.

Only what such a file needs is known (github.com/msgpack/msgpack/blob/master/spec.md): maps with text
as keys, numbers, and arrays as extension 1, which packs shape, kind of number and bytes. Large arrays
come in pieces. Nothing in such a file can be run.
"""

import math
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pixgen.errors import ModelError

_ARRAY, _SCALAR = 1, 3  # flax's extensions
_PIECES = "__msgpack_chunked_array__"
_DEEPEST = 32
_KINDS = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "int32": torch.int32,
    "int64": torch.int64,
}


def read_flax(path: Path) -> dict[str, torch.Tensor]:
    """Every array of a flax checkpoint by the names on its way, joined by dots, on the CPU.

    Raises ModelError if the file is missing, broken, or holds something else.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        value, end = _Reader(data).value(0, depth=0)
        if end != len(data) or not isinstance(value, dict):
            raise ValueError("it does not end where it should")
        return dict(_flatten(value, ""))
    except (OSError, ValueError, IndexError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(
            "The checkpoint {name} is missing, broken or incomplete: fetch it again.",
            name=path.name,
        ) from error


def _flatten(value: Mapping[str, Any], before: str):
    """Arrays by their whole names; those in pieces are put together."""
    for name, part in value.items():
        if isinstance(part, torch.Tensor):
            yield f"{before}{name}", part
        elif isinstance(part, dict) and part.get(_PIECES):
            shape = [part["shape"][str(axis)] for axis in range(len(part["shape"]))]
            pieces = [part["chunks"][str(number)] for number in range(len(part["chunks"]))]
            yield f"{before}{name}", torch.cat([piece.flatten() for piece in pieces]).view(shape)
        elif isinstance(part, dict):
            yield from _flatten(part, f"{before}{name}.")


class _Reader:
    """Values of a file from a place on, each with the place behind it."""

    def __init__(self, data: mmap.mmap | memoryview) -> None:
        self._data = memoryview(data)

    def value(self, at: int, *, depth: int) -> tuple[Any, int]:
        if depth > _DEEPEST:
            raise ValueError("too many things in each other")
        head, at = self._data[at], at + 1
        if head < 0x80:
            return head, at
        if head >= 0xE0:
            return head - 0x100, at
        if head < 0x90:
            return self._map(head & 0x0F, at, depth)
        if head < 0xA0:
            return self._list(head & 0x0F, at, depth)
        if head < 0xC0:
            return self._text(head & 0x1F, at)
        if head in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[head], at
        if 0xC4 <= head <= 0xC6:
            length, at = self._whole(at, 1 << (head - 0xC4))
            return self._bytes(length, at)
        if 0xC7 <= head <= 0xC9:
            length, at = self._whole(at, 1 << (head - 0xC7))
            return self._extension(length, at, depth)
        if 0xCC <= head <= 0xCF:
            return self._whole(at, 1 << (head - 0xCC))
        if 0xD0 <= head <= 0xD3:
            return self._whole(at, 1 << (head - 0xD0), signed=True)
        if 0xD4 <= head <= 0xD8:
            return self._extension(1 << (head - 0xD4), at, depth)
        if 0xD9 <= head <= 0xDB:
            length, at = self._whole(at, 1 << (head - 0xD9))
            return self._text(length, at)
        if 0xDC <= head <= 0xDF:
            length, at = self._whole(at, 4 if head & 1 else 2)
            return (self._list if head < 0xDE else self._map)(length, at, depth)
        raise ValueError(f"a value of kind {head:#x}")

    def _bytes(self, length: int, at: int) -> tuple[memoryview, int]:
        if at + length > len(self._data):
            raise ValueError("it ends too early")
        return self._data[at : at + length], at + length

    def _whole(self, at: int, size: int, *, signed: bool = False) -> tuple[int, int]:
        found, at = self._bytes(size, at)
        return int.from_bytes(found, "big", signed=signed), at

    def _text(self, length: int, at: int) -> tuple[str, int]:
        found, at = self._bytes(length, at)
        return str(found, "utf-8"), at

    def _list(self, length: int, at: int, depth: int) -> tuple[list, int]:
        found = []
        for _ in range(length):
            each, at = self.value(at, depth=depth + 1)
            found.append(each)
        return found, at

    def _map(self, length: int, at: int, depth: int) -> tuple[dict, int]:
        found = {}
        for _ in range(length):
            key, at = self.value(at, depth=depth + 1)
            found[key], at = self.value(at, depth=depth + 1)
        return found, at

    def _extension(self, length: int, at: int, depth: int) -> tuple[Any, int]:
        kind, at = self._whole(at, 1)
        packed, at = self._bytes(length, at)
        if kind not in (_ARRAY, _SCALAR):
            raise ValueError(f"an extension of kind {kind}")
        (shape, name, data), end = _Reader(packed).value(0, depth=depth + 1)
        name = str(name, "utf-8") if isinstance(name, memoryview) else name
        number = _KINDS[name]
        if end != length or len(data) != math.prod(shape) * number.itemsize:
            raise ValueError("an array of another size than it says")
        if not len(data):
            return torch.empty(shape, dtype=number), at
        return torch.frombuffer(bytearray(data), dtype=number).view(shape), at
