"""A safe unpickler that runs nothing: it returns plain values, locations of tensors, and inert stand-ins.

A pickle is a list of instructions, and only two can do harm: looking up a class or function by name, and calling
it. Here every name resolves to one of the few functions of this module, or to an empty class. So numpy scalars,
namespaces, config nodes and callbacks in a training's checkpoint are read as empty objects, whether or not their
libraries are installed.

Sources of the format: torch/serialization.py and torch/_utils.py of github.com/pytorch/pytorch.
"""

import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch

# No training saves these in a checkpoint: a pickle that names them tries to run something.
_UNSAFE_MODULES = {
    "os", "posix", "nt", "subprocess", "pty", "shutil", "socket", "runpy", "ctypes", "webbrowser", "commands",
}  # fmt: skip
_UNSAFE_BUILTINS = {"eval", "exec", "compile", "open", "__import__", "execfile", "input"}


class UnsafePickle(Exception):  # noqa: N818 - it says what it is
    """The pickle names a function that runs programs; the argument is that name."""


class BrokenPickle(Exception):  # noqa: N818 - it says what it is
    """The pickle is inconsistent."""


class StandIn:
    """Stands in for an object of any class that is not loaded: it stores the pickled state and does nothing."""

    def __new__(cls, *arguments: Any, **named: Any) -> "StandIn":
        """Accept any arguments and ignore them."""
        made = object.__new__(cls)
        made.entries, made.state = {}, None
        return made

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Nothing is left to do after ``__new__``."""

    def __call__(self, *arguments: Any, **named: Any) -> "StandIn":
        """Stands in for a function: the result is another stand-in."""
        return StandIn()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, name: Any, value: Any) -> None:
        self.entries[name] = value

    def append(self, value: Any) -> None:
        """Stands in for a list: its values are ignored."""

    extend = add = append


@dataclass(eq=False, slots=True)
class Storage:
    """The location of a tensor storage in a file."""

    key: str
    dtype: torch.dtype
    count: int
    start: int = 0  # of a view of the storage ``key``


@dataclass(eq=False, slots=True)
class StoredTensor:
    """The location of a tensor in its storage; offset and stride in elements."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def __setstate__(self, state: Any) -> None:
        """Ignore the tensor's attributes and hooks."""

    def to_tensor(self, numbers: torch.Tensor) -> torch.Tensor:
        """The tensor as a view of its storage ``(count,)``. Raises BrokenPickle if it reaches beyond it."""
        steps = [(size - 1) * stride for size, stride in zip(self.size, self.stride, strict=True)]
        if not all(self.size):
            return torch.empty(self.size, dtype=numbers.dtype)
        first = self.storage.start + self.offset
        if min([first, *self.stride, *self.size]) < 0 or first + sum(steps) >= len(numbers):
            raise BrokenPickle("a tensor that reaches beyond its storage")
        return numbers.as_strided(self.size, self.stride, numbers.storage_offset() + first)


def _rebuild_tensor(storage: Storage, offset: int, size: tuple, stride: tuple, *more: Any) -> StoredTensor:
    """Replaces ``torch._utils._rebuild_tensor_v2`` and its earlier versions."""
    if not isinstance(storage, Storage):
        raise BrokenPickle("a tensor without a storage")
    size, stride = tuple(map(int, size)), tuple(map(int, stride))
    return StoredTensor(storage, int(offset), size, stride)


def _rebuild_untyped_tensor(
    storage: Storage,
    offset: int,
    size: tuple,
    stride: tuple,
    grad: Any,
    hooks: Any,
    dtype: torch.dtype,
    *more: Any,
) -> StoredTensor:
    """Replaces ``torch._utils._rebuild_tensor_v3``."""
    if not isinstance(storage, Storage) or not isinstance(dtype, torch.dtype):
        raise BrokenPickle("a tensor without a storage")
    count = storage.count * storage.dtype.itemsize // dtype.itemsize
    return _rebuild_tensor(Storage(storage.key, dtype, count, storage.start), offset, size, stride)


def _unwrap(value: Any, *more: Any) -> Any:
    """Replaces functions that wrap a value: a parameter around its tensor, TorchScript's typed lists."""
    return value


def _rebuild_subclass(rebuild: Callable, kind: Any, arguments: tuple, *more: Any) -> Any:
    """Replaces ``torch._tensor._rebuild_from_type_v2``: a tensor of a subclass is read as a plain tensor."""
    return rebuild(*arguments) if rebuild in _REBUILDING else StandIn()


_REBUILDING = (_rebuild_tensor, _rebuild_untyped_tensor, _unwrap)
_FUNCTIONS: Mapping[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_untyped_tensor,
    ("torch._utils", "_rebuild_parameter"): _unwrap,
    ("torch._utils", "_rebuild_parameter_with_state"): _unwrap,
    ("torch._tensor", "_rebuild_from_type"): _rebuild_subclass,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_subclass,
    ("torch.jit._pickle", "build_intlist"): _unwrap,
    ("torch.jit._pickle", "build_tensorlist"): _unwrap,
    ("torch.jit._pickle", "build_doublelist"): _unwrap,
    ("torch.jit._pickle", "build_boollist"): _unwrap,
    ("torch.jit._pickle", "restore_type_tag"): _unwrap,
    ("torch", "Size"): tuple,
    ("collections", "OrderedDict"): OrderedDict,
}
_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "UntypedStorage": torch.uint8,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
}


class InertUnpickler(pickle.Unpickler):
    """Unpickles a file of ``torch.save`` without importing or calling anything that it names.

    Args:
        file: at the pickle's beginning.
        storages: is filled with the storages that the pickle names, by their keys.
        from_bytes: reads a storage embedded as a separate file, as ``pickle.dump`` writes tensors.
    """

    def __init__(
        self,
        file: BinaryIO,
        storages: dict[str, Storage],
        *,
        from_bytes: Callable[[bytes], Storage] | None = None,
    ) -> None:
        super().__init__(file, encoding="latin1")  # for strings that Python 2 wrote
        self._storages, self._from_bytes, self._classes = storages, from_bytes, {}

    def find_class(self, module: str, name: str) -> Any:
        """The replacement for a name in the pickle. Raises UnsafePickle."""
        if (module, name) in _FUNCTIONS:
            return _FUNCTIONS[module, name]
        if module.partition(".")[0] == "torch":
            if name in _STORAGES:
                return _STORAGES[name]
            if module == "torch" and isinstance(dtype := getattr(torch, name, None), torch.dtype):
                return dtype
            if (module, name) == ("torch.storage", "_load_from_bytes") and self._from_bytes:
                return self._from_bytes
        if module.partition(".")[0] in _UNSAFE_MODULES or (
            module in ("builtins", "__builtin__") and name in _UNSAFE_BUILTINS
        ):
            raise UnsafePickle(f"{module}.{name}")
        if (module, name) not in self._classes:
            self._classes[module, name] = type("StandIn", (StandIn,), {"module": module, "name": name})
        return self._classes[module, name]

    def persistent_load(self, what: Any) -> Any:
        """The storage that torch refers to, or the class of a module saved with its source."""
        if not isinstance(what, tuple) or not what:
            raise BrokenPickle("what lies beside it is of no known kind")
        if what[0] == "module":
            return what[1]
        _, dtype, key, _, count, *view = what
        if not isinstance(dtype, torch.dtype):
            raise BrokenPickle("a storage of an unknown kind")
        root = Storage(str(key), dtype, int(count))
        self._storages.setdefault(root.key, root)
        if view and view[0] is not None:
            _, start, length = view[0]
            return Storage(root.key, dtype, int(length), int(start))
        return root


def children(value: Any) -> Mapping[Any, Any]:
    """The children of a dictionary or a stand-in: its entries and attributes, and a network's parameters, buffers
    and modules."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, StandIn):
        return {}
    states = value.state if isinstance(value.state, tuple) else (value.state,)
    found = dict(value.entries)
    for state in states:
        if isinstance(state, dict):
            found |= state
    for part in ("_parameters", "_buffers", "_modules"):
        found |= children(found.pop(part, None))
    return found


def is_network(value: Any) -> bool:
    """Whether a value stands in for a whole network, pickled with its class."""
    if not isinstance(value, StandIn):
        return False
    scripted = getattr(value, "module", "").startswith("__torch__")
    return scripted or (isinstance(value.state, dict) and "_modules" in value.state)


def named_tensors(value: Any) -> Iterator[tuple[str, StoredTensor]]:
    """Every tensor in nested dictionaries and objects, by its path, joined by dots.

    An object that occurs several times has its first path: config nodes refer to their parents, too.
    """
    seen = set()
    todo = [("", value)]
    while todo:
        name, value = todo.pop()
        if isinstance(value, StoredTensor):
            yield name, value
        elif id(value) not in seen:
            seen.add(id(value))
            for part, child in reversed(list(children(value).items())):
                if isinstance(part, str | int) and isinstance(child, dict | StandIn | StoredTensor):
                    todo.append((f"{name}.{part}" if name else str(part), child))
