"""What a file is by its first bytes: names lie, and half of the broken checkpoints are none."""

from pathlib import Path

from pixgen.errors import ModelError

_GIT_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<?xml", b"<!--")
_HEAD_BYTES = 512


def read_head(path: Path) -> bytes:
    """The first bytes of a file. Raises OSError."""
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def check_not_placeholder(path: Path) -> None:
    """Raise ModelError if a file stands in for another: a git-lfs pointer or a web page.

    A file that is missing passes: whoever opens it says so.
    """
    try:
        head = read_head(path)
    except OSError:
        return
    if head.startswith(_GIT_LFS_POINTER):
        raise ModelError(
            "The file {name} is a pointer of git-lfs, not the file itself: fetch it with git lfs pull.",
            name=path.name,
        )
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_HTML_STARTS):
        raise ModelError(
            "The file {name} is a web page, not the file itself: its address shows a page about it, so fetch it "
            "by the address of its download.",
            name=path.name,
        )


def is_safetensors(head: bytes) -> bool:
    """Whether a file begins as safetensors do: the length of its header, then JSON."""
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 27


def is_msgpack(head: bytes) -> bool:
    """Whether a file begins as a map of MessagePack with something in it; no pickle begins so."""
    return head[:1] in (b"\xde", b"\xdf") or 0x80 < head[0] <= 0x8F


def is_text(head: bytes) -> bool:
    """Whether a file begins as text does."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not a character that the end has cut
            return False
        text = head[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\r\n\t\ufeff" for letter in text)
