"""Pictures in a zip from a stranger: bounded before anything is unpacked, and never written to a disk.

A member is read straight into memory, so no name in a zip, whatever it says, is a path here.
"""

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from pixgen.errors import ClassifyError, PictureError
from pixgen.images import MAX_BYTES
from pixgen.paths import is_hidden
from pixgen.vision.reading import SUFFIXES

MOST_MEMBERS = 10_000
LARGEST = 2**30  # bytes of all members together, unpacked
LARGEST_RATIO = 200  # how much smaller a member may be packed; a picture's is below 10
_ROOM = 2**16  # bytes that any member may have, however well they are packed


class Archive:
    """The pictures in a zip, in the order of their names. Any thread may read.

    Raises ClassifyError if it is no zip, or larger than ``MOST_MEMBERS`` or ``LARGEST``, or packed so
    tightly that it can only be a trap.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        try:
            self._zip = zipfile.ZipFile(path)
            members = self._zip.infolist()
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
            raise ClassifyError(
                "“{name}” is not a zip that can be read: pack it again.", name=path.name
            ) from error
        if len(members) > MOST_MEMBERS or sum(each.file_size for each in members) > LARGEST:
            raise ClassifyError(
                "“{name}” is too large: at most {limit} files and {megabytes} MB unpacked.",
                name=path.name,
                limit=MOST_MEMBERS,
                megabytes=LARGEST // 2**20,
            )
        for each in members:
            if each.file_size > _ROOM and each.file_size > LARGEST_RATIO * each.compress_size:
                raise ClassifyError(
                    "“{name}” is packed too tightly to be pictures: pack the pictures themselves.",
                    name=path.name,
                )
        self._members = {_shown(each): each for each in members if _is_picture(each)}

    def names(self) -> list[str]:
        """Each picture's name below the zip's top, with /."""
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        """One picture's bytes. Raises PictureError if they are broken, encrypted or too many."""
        try:
            with self._zip.open(self._members[name]) as file:
                data = file.read(MAX_BYTES + 1)  # what the header says is not trusted
        except (OSError, ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile,
                NotImplementedError) as error:  # fmt: skip
            raise PictureError(
                "“{name}” is broken or encrypted: pack it again.", name=name
            ) from error
        return data


def _is_picture(member: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(_shown(member))
    return not member.is_dir() and path.suffix.lower() in SUFFIXES and not is_hidden(path)


def _shown(member: zipfile.ZipInfo) -> str:
    """A member's name to be shown: no root, no way up, nothing that cannot be printed."""
    parts = [
        part
        for part in member.filename.replace("\\", "/").split("/")
        if part not in ("", ".", "..")
    ]
    return "".join(sign if sign.isprintable() else "�" for sign in "/".join(parts))
