"""Weights that are missing, broken or of another model are named, and nothing is half loaded."""

import pytest
import torch
from safetensors.torch import save_file

from pixgen.errors import ModelError
from pixgen.models.checkpoints.safetensors import load_weights, read_config, save_weights


def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))


def test_half_precision_comes_back_as_float32(tmp_path):
    first, second = model(), torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    save_weights(first, tmp_path / "w.safetensors")
    load_weights(second, tmp_path / "w.safetensors")
    assert second[0].weight.dtype == torch.float32
    assert torch.allclose(first[0].weight, second[0].weight, atol=1e-3)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda w: w.pop("1.bias"), "1.bias is missing"),
        (lambda w: w.update({"0.weight": torch.zeros(4, 5)}), r"0.weight is \(4, 5\) instead of \(4, 3\)"),
        (lambda w: w.update(extra=torch.zeros(1)), "extra is not part"),
    ],
)
def test_the_first_mismatch_is_named_and_nothing_is_loaded(tmp_path, change, named):
    target, weights = model(), dict(model().state_dict())
    before = target[0].weight.clone()
    weights["0.bias"] = weights["0.bias"] + 1
    change(weights)
    save_file(weights, tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match=named):
        load_weights(target, tmp_path / "w.safetensors")
    assert torch.equal(target[0].weight, before)


def test_a_file_that_is_not_safetensors_is_refused(tmp_path):
    torch.save({"weights": torch.zeros(2)}, tmp_path / "w.safetensors")
    with pytest.raises(ModelError, match="missing or broken"):
        load_weights(model(), tmp_path / "w.safetensors")


def test_a_missing_config_is_named(tmp_path):
    with pytest.raises(ModelError, match="vqgan.json is missing"):
        read_config(tmp_path / "vqgan.json")
