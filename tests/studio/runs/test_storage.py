"""Writing: the old file or the new one, and errors in words."""

import errno

import pytest

from pixgen.errors import StorageError
from pixgen.studio.storage import atomic_write, remove_leftovers, temporary_path, write_bytes


def test_the_new_file_replaces_the_old_one_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with path.open("rb") as reader:
        write_bytes(path, b"new")
        assert reader.read() == b"old"  # who reads meanwhile sees a whole file
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def half_written(path, error):
    with atomic_write(path) as temporary:
        temporary.write_bytes(b"half")
        raise error


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), KeyError("a bug")])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with pytest.raises((StorageError, KeyError)):
        half_written(path, error)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said_in_so_many_words(tmp_path, number):
    with pytest.raises(StorageError, match=r"^The disk is full: “.*/file” could not be saved\."):
        with atomic_write(tmp_path / "file"):
            raise OSError(number, "whatever the system says")


def test_a_lost_folder_is_named_without_the_folders_above_it(tmp_path):
    with pytest.raises(StorageError, match="“gone/file” could not be saved") as caught:
        write_bytes(tmp_path / "gone" / "file", b"")
    assert str(tmp_path) not in str(caught.value)


def test_leftovers_of_a_killed_process_are_removed_and_files_are_not(tmp_path):
    temporary_path(tmp_path / "state.pt").touch()
    (tmp_path / "state.pt").touch()
    (tmp_path / ".lock").touch()
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "state.pt"]
