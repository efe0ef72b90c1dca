"""Recognise a file's format by its first bytes, and refuse git-lfs pointers and web pages named as checkpoints.

Loads no torch: the list of models uses it."""

import zipfile
import zlib
from pathlib import Path

from pixgen.errors import ModelError

_GIT_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<?xml", b"<!--")
_HEAD_BYTES = 512
_CLIP_MARKS = ((b"logit_scale", b"visual"), (b"logit_scale", b"vision_model"))
_LARGEST_INDEX = 1 << 25  # bytes of the names of weights in a checkpoint


def read_head(path: Path) -> bytes:
    """The first bytes of a file. Raises OSError."""
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def check_not_placeholder(path: Path) -> None:
    """Raise ModelError if a file is a git-lfs pointer or a web page instead of the file itself.

    A missing file passes: opening it reports that.
    """
    try:
        head = read_head(path)
    except OSError:
        return
    if head.startswith(_GIT_LFS_POINTER):
        raise ModelError(
            "The file {name} is a git-lfs pointer, not the file itself: get it with git lfs pull.",
            name=path.name,
        )
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_HTML_STARTS):
        raise ModelError(
            "The file {name} is a web page, not the file itself: use the address of the download, not of "
            "the page about it.",
            name=path.name,
        )


def holds_clip(path: Path) -> bool:
    """Whether a checkpoint has a CLIP's weights, by their names in its index: the header of safetensors, or the
    pickle in a zip of ``torch.save`` or TorchScript. False for other formats, and if it cannot be read."""
    try:
        head = read_head(path)
        if is_safetensors(head):
            with path.open("rb") as file:
                index = file.read(min(8 + int.from_bytes(head[:8], "little"), _LARGEST_INDEX))
        elif head.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                infos = [each for each in archive.infolist() if each.filename.endswith("data.pkl")]
                index = b"".join(archive.read(each) for each in infos if each.file_size < _LARGEST_INDEX)
        else:
            return False
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return False
    return any(all(mark in index for mark in marks) for marks in _CLIP_MARKS)


def is_safetensors(head: bytes) -> bool:
    """Whether a file begins like safetensors: the length of its header, then JSON."""
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 27


def is_msgpack(head: bytes) -> bool:
    """Whether a file begins like a non-empty MessagePack map; no pickle does."""
    return head[:1] in (b"\xde", b"\xdf") or 0x80 < head[0] <= 0x8F


def is_text(head: bytes) -> bool:
    """Whether a file begins like text."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # a character cut off at the end is no error
            return False
        text = head[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\r\n\t\ufeff" for letter in text)
