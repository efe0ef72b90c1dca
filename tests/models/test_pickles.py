"""A checkpoint cannot run anything, whatever is in it."""

import os
import pickle

import pytest
import torch

from pixgen.errors import ModelError
from pixgen.models.pickles import read_weights
from tests.models import published


class Hostile:
    """Unpickled, it would make a file."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("form", ["zip", "legacy", "bare"])
def test_a_hostile_pickle_is_refused_and_nothing_of_it_is_run(tmp_path, form):
    trace, path = tmp_path / "run", tmp_path / "model.ckpt"
    value = {"state_dict": {"a": torch.zeros(2)}, "hyper_parameters": Hostile(trace)}
    if form == "bare":
        path.write_bytes(pickle.dumps(value["hyper_parameters"], protocol=2))
    else:
        published.write(path, value, legacy=form == "legacy")
    with pytest.raises(ModelError, match="was refused and nothing of it was run.*system"):
        read_weights(path)
    assert not trace.exists()


def test_a_hostile_pickle_of_a_protocol_that_torch_does_not_know_is_refused_too(tmp_path):
    trace, path = tmp_path / "run", tmp_path / "model.ckpt"
    path.write_bytes(pickle.dumps(Hostile(trace), protocol=4))
    with pytest.raises(ModelError, match="was refused and nothing of it was run"):
        read_weights(path)
    assert not trace.exists()


def test_lightnings_class_is_read_without_lightning(tmp_path, monkeypatch):
    value = published.lightning({"a": torch.ones(2)}, monkeypatch)
    path = published.write(tmp_path / "model.ckpt", value)
    monkeypatch.undo()
    assert torch.equal(read_weights(path)["a"], torch.ones(2))


@pytest.mark.parametrize("broken", ["cut", "text", "gone", "empty"])
def test_a_broken_file_is_one_sentence(tmp_path, broken):
    path = published.write(tmp_path / "model.ckpt", {"state_dict": {"a": torch.zeros(400)}})
    if broken == "cut":
        path.write_bytes(path.read_bytes()[:900])
    elif broken == "text":
        path.write_text("<html>not found</html>")
    elif broken == "empty":
        published.write(path, {"epoch": 1})
    else:
        path.unlink()
    with pytest.raises(ModelError, match="The checkpoint model.ckpt"):
        read_weights(path)
