"""Read weights from a checkpoint of any format, without running anything in it."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from pixgen.errors import ModelError
from pixgen.models.checkpoints import sniffing
from pixgen.models.checkpoints.flax import read_flax
from pixgen.models.checkpoints.pickle import (
    BrokenPickle,
    InertUnpickler,
    Storage,
    StoredTensor,
    UnsafePickle,
    children,
    is_network,
    named_tensors,
)

# The keys under which trainings save a network's weights; the first that holds weights counts.
_WEIGHT_KEYS = (
    "state_dict", "ema", "model", "model_state_dict", "model_state", "params_ema", "params", "module",
    "network", "net", "generator", "weights",
)  # fmt: skip
_TRAINING_KEYS = ("optim", "scheduler", "scaler", "callbacks", "loops", "discriminator")
_MAGIC = 0x1950A86A20F9469CFC6C  # the first value of a file that torch wrote before version 1.6
_DATA = "data.pkl"

ReadStorage = Callable[[Storage], torch.Tensor]


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Every weight in a checkpoint, by its name there, on the CPU.

    Reads safetensors, Flax's MessagePack, files of ``torch.save`` (zips, which are mapped into memory, and older
    ones), and the tensors of TorchScript archives. The first bytes decide the format, not the name.
    Raises ModelError if the file is broken, or names a function that runs programs.
    """
    sniffing.check_not_placeholder(path)
    head = b""
    try:
        head = sniffing.read_head(path)
        if not head:
            raise ModelError("The checkpoint {name} is empty: download it again.", name=path.name)
        if sniffing.is_safetensors(head):
            return load_file(path)
        if sniffing.is_msgpack(head):
            return read_flax(path)
        return _read_pickled(path)
    except (ModelError, MemoryError):
        raise
    except UnsafePickle as error:
        raise ModelError(
            "The checkpoint {name} was rejected and none of its code was run: it refers to “{found}”, "
            "which weights do not need. Ask someone who trusts it to save it as safetensors.",
            name=path.name,
            found=str(error),
        ) from error
    except (
        SafetensorError,
        Exception,
    ) as error:  # a broken pickle can raise any exception
        if head and sniffing.is_text(head):
            raise ModelError(
                "The checkpoint {name} contains text, not weights: download the file itself.",
                name=path.name,
            ) from error
        raise ModelError(
            "The checkpoint {name} is missing, broken or incomplete: download it again.",
            name=path.name,
        ) from error


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive, as OpenAI's CLIPs are."""
    return bool(torchscript_code(path))


def torchscript_code(path: Path) -> str:
    """The source code in a TorchScript archive, which is never run; empty for any other file."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if "/code/" in name and name.endswith(".py")]
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in names)
    except (OSError, zipfile.BadZipFile, RuntimeError):
        return ""


def _read_pickled(path: Path) -> dict[str, torch.Tensor]:
    if zipfile.is_zipfile(path):
        found, numbers = _open_zip(path)
    else:
        with path.open("rb") as file:
            found, numbers = _open_legacy(file, _map_file(path))
    tensors = dict(named_tensors(_find_weights(found)))
    if not tensors:
        raise ModelError("The checkpoint {name} contains no weights: choose another file.", name=path.name)
    read: dict[tuple[str, torch.dtype], torch.Tensor] = {}
    weights = {}
    for name, tensor in tensors.items():
        key = tensor.storage.key, tensor.storage.dtype
        if key not in read:
            read[key] = numbers(tensor.storage)
        weights[name] = tensor.to_tensor(read[key])
    return weights


def _find_weights(found: Any) -> Any:
    """Find the part of a checkpoint that holds its network's weights."""
    while not is_network(found):
        parts = children(found)
        filled = {place: size for place in _WEIGHT_KEYS if (size := _tensor_rank(parts.get(place)))}
        # An EMA may hold counters and have its weights elsewhere: a part with matrices comes first.
        place = next((place for place, size in filled.items() if size > 1), next(iter(filled), None))
        if place is None:
            return {
                name: part
                for name, part in parts.items()
                if not (isinstance(name, str) and name.startswith(_TRAINING_KEYS))
                or isinstance(part, StoredTensor)
            }
        found = parts[place]
    return found


def _tensor_rank(part: Any) -> int:
    """2 if a part of a checkpoint holds a tensor of several axes, 1 if only vectors, else 0."""
    if isinstance(part, StoredTensor):
        return 0
    return max((1 + (len(tensor.size) > 1) for _, tensor in named_tensors(part)), default=0)


def _map_file(path: Path) -> torch.Tensor:
    """A file's bytes ``(size,)`` uint8, mapped into memory."""
    size = path.stat().st_size
    return torch.from_file(str(path), shared=False, size=size, dtype=torch.uint8)


def _open_zip(path: Path) -> tuple[Any, ReadStorage]:
    """The unpickled value of a zip of ``torch.save`` or TorchScript, and a function that reads its storages."""
    storages: dict[str, Storage] = {}
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: info for info in archive.infolist()}
        data = min((name for name in entries if f"/{name}".endswith(f"/{_DATA}")), key=len, default=None)
        if data is None:
            raise ModelError(
                "The file {name} is a zip without torch weights: unpack it and give the path of the "
                "file inside.",
                name=path.name,
            )
        folder = data.removesuffix(_DATA)
        with archive.open(data) as file:
            found = InertUnpickler(io.BytesIO(file.read()), storages).load()
        order = f"{folder}byteorder"
        swapped = order in entries and archive.read(order) == b"big"
    whole = _map_file(path)

    def numbers(storage: Storage) -> torch.Tensor:
        root = storages[storage.key]
        info, size = entries[f"{folder}data/{storage.key}"], root.count * root.dtype.itemsize
        if info.file_size < size:
            raise BrokenPickle("a storage that is cut off")
        if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1:
            # The data follow the entry's local header: 30 bytes, its name, and its extra field.
            head = bytes(whole[info.header_offset : info.header_offset + 30].numpy())
            named, more = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
            start = info.header_offset + 30 + named + more
            data = whole[start : start + size]
        else:
            with zipfile.ZipFile(path) as archive:
                data = torch.frombuffer(bytearray(archive.read(info)[:size] or b" "), dtype=torch.uint8)[
                    :size
                ]
        return _view_as(data, storage.dtype, size, swapped=swapped)

    return found, numbers


def _open_legacy(file: BinaryIO, whole: torch.Tensor) -> tuple[Any, ReadStorage]:
    """The unpickled value of a file of torch before 1.6, or of ``pickle.dump``, and a function that reads its
    storages, which follow the pickles."""
    storages: dict[str, Storage] = {}
    inner: list[tuple[Storage, ReadStorage]] = []

    def from_bytes(data: bytes | str) -> Storage:
        data = data if isinstance(data, bytes) else data.encode("latin1")
        held = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        found, read = _open_legacy(io.BytesIO(data), held)
        if not isinstance(found, Storage):
            raise BrokenPickle("a storage of an unknown kind")
        inner.append((found, read))
        return Storage(f"bytes {len(inner) - 1}", found.dtype, found.count, found.start)

    def load() -> Any:
        return InertUnpickler(file, storages, from_bytes=from_bytes).load()

    found, swapped, starts = load(), False, {}
    if isinstance(found, int) and found == _MAGIC:
        _, system, found = load(), load(), load()
        swapped = children(system).get("little_endian") is False
        keys = load()
        at = file.tell()
        for key in map(str, keys):
            starts[key] = at + 8  # after the number of elements
            at += 8 + storages[key].count * storages[key].dtype.itemsize

    def numbers(storage: Storage) -> torch.Tensor:
        if storage.key.startswith("bytes "):
            held, read = inner[int(storage.key.removeprefix("bytes "))]
            return read(held)
        root = storages[storage.key]
        size, start = root.count * root.dtype.itemsize, starts[storage.key]
        return _view_as(whole[start : start + size], storage.dtype, size, swapped=swapped)

    return found, numbers


def _view_as(data: torch.Tensor, dtype: torch.dtype, size: int, *, swapped: bool) -> torch.Tensor:
    """Bytes ``(size,)`` as numbers of a type. Raises BrokenPickle if there are too few."""
    if len(data) != size:
        raise BrokenPickle("a storage that is cut off")
    if swapped:
        data = data.view(-1, dtype.itemsize).flip(1).flatten()
    elif data.storage_offset() % dtype.itemsize:
        data = data.clone()
    return data.view(dtype)
