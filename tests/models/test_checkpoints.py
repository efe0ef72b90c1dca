"""Checkpoints are read for their tensors alone: nothing in them is run, and what else they hold is skipped."""

import contextlib
import io
import os
import pickle
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import torch
import torch.nn as nn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from pixgen.errors import ModelError
from pixgen.models.checkpoints.reading import is_torchscript, read_weights
from tests.models import published, trainings

FILES = Path(__file__).parent.parent / "fixtures" / "files"


class Hostile:
    """Unpickled, it would make a file."""

    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


class HostileState:
    """Unpickled, it would make a file by a constructor, and give its object attributes."""

    def __init__(self, call, *arguments) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments, {"__class__": 1, "__setstate__": 2, "x": 3}


@pytest.mark.parametrize("form", ["zip", "legacy", "bare"])
def test_a_hostile_pickle_is_refused_and_nothing_of_it_is_run(tmp_path, form):
    trace, path = tmp_path / "run", tmp_path / "model.ckpt"
    value = {"state_dict": {"a": torch.zeros(2)}, "hyper_parameters": Hostile(trace)}
    if form == "bare":
        path.write_bytes(pickle.dumps(value["hyper_parameters"], protocol=2))
    else:
        published.write(path, value, legacy=form == "legacy")
    with pytest.raises(ModelError, match="was rejected and none of its code was run.*system"):
        read_weights(path)
    assert not trace.exists()


def test_a_hostile_pickle_of_a_protocol_that_torch_does_not_know_is_refused_too(tmp_path):
    trace, path = tmp_path / "run", tmp_path / "model.ckpt"
    path.write_bytes(pickle.dumps(Hostile(trace), protocol=4))
    with pytest.raises(ModelError, match="was rejected and none of its code was run"):
        read_weights(path)
    assert not trace.exists()


@pytest.mark.parametrize("call", [eval, exec, subprocess.Popen, shutil.rmtree, __import__])
def test_pickles_that_run_programs_are_refused(tmp_path, call):
    path = published.write(tmp_path / "model.ckpt", {"a": torch.zeros(2, 2), "b": HostileState(call, "1")})
    with pytest.raises(ModelError, match="was rejected and none of its code was run"):
        read_weights(path)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_constructor_with_an_effect_is_not_called(tmp_path, legacy):
    trace = tmp_path / "run"
    extra = HostileState(io.FileIO, str(trace), "w")
    value = {"extra": extra, "state_dict": {"a": torch.ones(2, 2)}}
    path = published.write(tmp_path / "model.ckpt", value, legacy=legacy)
    assert list(read_weights(path)) == ["a"]
    assert not trace.exists()


def test_lightnings_class_is_read_without_lightning(tmp_path, monkeypatch):
    value = published.lightning({"a": torch.ones(2)}, monkeypatch)
    path = published.write(tmp_path / "model.ckpt", value)
    monkeypatch.undo()
    assert torch.equal(read_weights(path)["a"], torch.ones(2))


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("extra", trainings.EXTRAS)
def test_objects_beside_the_weights_are_skipped(tmp_path, extra, legacy):
    made = trainings.EXTRAS[extra]()
    value = {
        "hyper_parameters": made,
        extra: made,
        "epoch": 3,
        "state_dict": {"a": torch.ones(2, 3)},
    }
    path = published.write(tmp_path / "last.ckpt", value, legacy=legacy)
    found = read_weights(path)
    assert list(found) == ["a"]
    assert torch.equal(found["a"], torch.ones(2, 3))


def test_extras_among_the_weights_are_skipped_too(tmp_path):
    extras = {name: make() for name, make in trainings.EXTRAS.items() if name != "an optimizer"}
    path = published.write(tmp_path / "last.ckpt", {**extras, "a.weight": torch.ones(2, 3), "n": 3})
    assert list(read_weights(path)) == ["a.weight"]


def test_callbacks_of_any_name_may_be_keys(tmp_path, monkeypatch):
    names = ("ModelCheckpoint", "EarlyStopping", "LearningRateMonitor", "SetupCallback")
    value = {
        "callbacks": trainings.callbacks(monkeypatch, *names),
        "state_dict": {"a": torch.ones(2, 2)},
    }
    path = published.write(tmp_path / "last.ckpt", value)
    monkeypatch.undo()
    assert list(read_weights(path)) == ["a"]


@pytest.mark.parametrize("place", ["state_dict", "model", "ema", "model_state_dict", "params_ema", "module"])
def test_the_weights_are_found_where_trainings_keep_them(tmp_path, place):
    optimizer = {"state": {0: {"exp_avg": torch.ones(2, 2)}}}
    value = {"epoch": 1, "optimizer": optimizer, place: {"a": torch.ones(2, 2)}}
    assert list(read_weights(published.write(tmp_path / "a.pt", value))) == ["a"]


def test_weights_beside_optimizers_need_no_known_place(tmp_path):
    optimizer = {"state": {0: {"exp_avg": torch.ones(2, 2)}}}
    value = {"optimizer_g": optimizer, "vqgan": {"a": torch.ones(2, 2)}}
    assert list(read_weights(published.write(tmp_path / "a.pt", value))) == ["vqgan.a"]


def test_a_whole_network_is_read_by_its_parts_names(tmp_path):
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Sequential(nn.Linear(3, 1)))
    path = published.write(tmp_path / "a.pt", {"model": network})
    found, expected = read_weights(path), network.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
def test_a_torchscript_archive_is_read_and_not_run(tmp_path, monkeypatch):
    network = nn.Sequential(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4)).half().eval()
    path = tmp_path / "a.pt"
    torch.jit.script(network).save(str(path))
    monkeypatch.setattr(torch.jit, "load", None)
    found, expected = read_weights(path), network.state_dict()
    assert is_torchscript(path)
    assert found.keys() >= expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_plain_pickles_of_tensors_are_read(tmp_path):
    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.ones(3, dtype=torch.bfloat16)}
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(tensors))
    found = read_weights(path)
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


DTYPES = (
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float64,
    torch.int64,
    torch.uint8,
    torch.bool,
)


@given(
    shapes=st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=4),
    dtypes=st.lists(st.sampled_from(DTYPES), min_size=4, max_size=4),
    view=st.sampled_from(["plain", "turned", "sliced", "parameter", "shared"]),
    legacy=st.booleans(),
    packed=st.booleans(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tensors_are_those_that_torch_reads(tmp_path, shapes, dtypes, view, legacy, packed):
    value = {}
    for number, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=False)):
        tensor = torch.arange(1, 1 + torch.Size(shape).numel()).reshape(shape).to(dtype)
        if view == "turned":
            tensor = tensor.permute(tuple(reversed(range(tensor.ndim))))
        elif view == "sliced":
            tensor = torch.stack([tensor, tensor, tensor])[1]
        elif view == "parameter" and dtype.is_floating_point:
            tensor = nn.Parameter(tensor)
        elif view == "shared":
            value[f"again.{number}"] = tensor.view(-1)
        value[f"a.{number}"] = tensor
    path = published.write(tmp_path / "a.pt", value, legacy=legacy)
    if packed and not legacy:
        with zipfile.ZipFile(path) as source:
            parts = {name: source.read(name) for name in source.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
            for name, data in parts.items():
                target.writestr(name, data)
    found = read_weights(path)
    assert found.keys() == value.keys()
    for name, tensor in value.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor.detach())


@given(data=st.data(), legacy=st.booleans())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_is_a_model_error(tmp_path, data, legacy):
    value = {
        "state_dict": {"a": torch.ones(3, 3), "b": torch.ones(2).half()},
        "args": trainings.Settings(),
    }
    path = published.write(tmp_path / "a.ckpt", value, legacy=legacy)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    with contextlib.suppress(ModelError):  # and nothing else
        assert all(torch.is_tensor(tensor) for tensor in read_weights(path).values())


def test_formats_are_recognised_by_bytes_not_by_names(tmp_path):
    save_file({"a": torch.ones(2, 2)}, tmp_path / "a.ckpt")
    published.write(tmp_path / "b.safetensors", {"b": torch.ones(2, 2)})
    assert list(read_weights(tmp_path / "a.ckpt")) == ["a"]
    assert list(read_weights(tmp_path / "b.safetensors")) == ["b"]


@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors", ".msgpack", ".pt"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            (FILES / "lfs.ckpt").read_bytes(),
            "is a git-lfs pointer, not the file itself: get it with git lfs pull",
        ),
        (b"<!DOCTYPE html>\n<html><head></head></html>", "is a web page, not the file itself"),
        (b"\xef\xbb\xbf\n <HTML lang=en>", "is a web page, not the file itself"),
        (b"Entry not found", "contains text, not weights"),
        ("{“error”: 1}".encode(), "contains text, not weights"),
        (b"", "is empty"),
    ],
)
def test_placeholders_named_as_checkpoints_are_recognised(tmp_path, suffix, data, said):
    path = tmp_path / f"model{suffix}"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=f"model{suffix} {said}"):
        read_weights(path)


def test_a_zip_of_something_else_is_recognised(tmp_path):
    path = tmp_path / "model.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/readme.txt", "hello")
    with pytest.raises(ModelError, match=r"model\.ckpt is a zip without torch weights"):
        read_weights(path)


@pytest.mark.parametrize("broken", ["cut", "text", "gone", "empty"])
def test_a_broken_file_is_a_model_error(tmp_path, broken):
    path = published.write(tmp_path / "model.ckpt", {"state_dict": {"a": torch.zeros(400)}})
    if broken == "cut":
        path.write_bytes(path.read_bytes()[:900])
    elif broken == "text":
        path.write_text("<html>not found</html>")
    elif broken == "empty":
        published.write(path, {"epoch": 1})
    else:
        path.unlink()
    with pytest.raises(ModelError, match="The (checkpoint|file) model.ckpt"):
        read_weights(path)
