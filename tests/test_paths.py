"""Where runs are kept."""

from pathlib import Path

import pytest

from pixgen import paths
from pixgen.paths import output_folder


@pytest.fixture
def storage(tmp_path, monkeypatch):
    """A Space's storage."""
    monkeypatch.setattr(paths, "PERSISTENT", tmp_path)
    monkeypatch.delenv("PIXGEN_OUTPUT_DIR", raising=False)
    return tmp_path


def test_a_space_keeps_runs_in_its_storage(storage, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "ada/pixgen")
    assert output_folder() == storage / "outputs"
    assert output_folder("elsewhere") == Path("elsewhere").absolute()
    monkeypatch.setenv("PIXGEN_OUTPUT_DIR", "/mnt/bucket")
    assert output_folder() == Path("/mnt/bucket")


def test_elsewhere_data_is_a_folder_like_any_other(storage, monkeypatch):
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert output_folder() == Path("outputs").absolute()


def test_a_space_without_storage_keeps_them_beside_it(storage, monkeypatch):
    monkeypatch.setenv("SPACE_ID", "ada/pixgen")
    monkeypatch.setattr(paths, "PERSISTENT", storage / "missing")
    assert output_folder() == Path("outputs").absolute()
