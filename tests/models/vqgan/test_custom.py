"""Own checkpoints: by path with their config, or found in one folder."""

import contextlib
import json
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixgen.cli.app import main
from pixgen.errors import ModelError
from pixgen.models.registry import list_models
from pixgen.models.vqgan.custom import custom_models, find_vqgan
from pixgen.models.vqgan.vqgan import load_vqgan
from tests.models import published

FILES = Path(__file__).parent.parent.parent / "fixtures" / "files"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of own models: two beside their configs, a training's log, and one without a config."""
    home = tmp_path / "models"
    monkeypatch.setenv("PIXGEN_MODELS_DIR", str(home))
    node = published.config()
    value = {"state_dict": published.taming(node).state_dict()}
    first_stage = {f"first_stage_model.{name}": tensor for name, tensor in value["state_dict"].items()}
    for name in ("flowers", "deep/model", "orphan/alone"):
        published.write(home / f"{name}.ckpt", value)
    published.write_yaml(home / "flowers.yaml", node)
    published.write_yaml(home / "deep/config.yaml", node)
    published.write(home / "2021_faces/checkpoints/last.ckpt", {"state_dict": first_stage})
    published.write_yaml(home / "2021_faces/configs/2021-project.yaml", published.net2net(node))
    return home


def test_models_in_the_folder_are_found(folder):
    assert list(custom_models()) == ["2021_faces", "deep", "flowers"]


def test_each_loads_by_its_name(folder):
    for name in custom_models():
        assert load_vqgan(name, "cpu").codebook.shape == (24, 8)


def test_a_path_is_converted_once_until_its_file_changes(folder, cache):
    path = folder / "flowers.ckpt"
    load_vqgan(str(path), "cpu")
    (kept,) = cache.rglob("own-flowers-*.safetensors")
    before = kept.stat().st_mtime_ns
    load_vqgan(str(path), "cpu")
    assert kept.stat().st_mtime_ns == before
    other = published.taming(published.config(), seed=1)
    published.write(path, {"state_dict": other.state_dict()})
    model = load_vqgan(str(path), "cpu")
    assert bool((model.codebook == other.quantize.embedding.weight).all())
    assert len(list(cache.rglob("own-flowers-*.safetensors"))) == 1
    assert path.exists()


@pytest.mark.parametrize(
    ("name", "config", "said"),
    [
        ("orphan/alone.ckpt", "", "There is no config beside “alone.ckpt”: give one with --config"),
        ("gone.ckpt", "", "There is no checkpoint"),
        ("flowers.ckpt", "gone.yaml", "The config gone.yaml is missing or broken"),
    ],
)
def test_errors_name_the_missing_file(folder, name, config, said):
    with pytest.raises(ModelError, match=said):
        find_vqgan(str(folder / name), str(folder / config) if config else "")


def test_an_unknown_name_lists_custom_models_too(folder):
    with pytest.raises(
        ModelError, match="choose pocket-2, pocket, imagenet-16384, .*flowers, or a checkpoint's path"
    ):
        load_vqgan("raphael", "cpu")


@pytest.mark.parametrize(
    "text", ["", "model: 3", "- 1", "model: [", "model: {target: a.b, params: {n_embed: 3}}"]
)
def test_a_config_of_no_model_is_a_model_error(folder, text):
    (folder / "bad.yaml").write_text(text)
    with pytest.raises(ModelError, match="The config bad.yaml"):
        find_vqgan(str(folder / "flowers.ckpt"), str(folder / "bad.yaml"))


SPOILT = {
    "kl": {
        "target": "ldm.models.autoencoder.AutoencoderKL",
        "params": {"embed_dim": 4, "ddconfig": published.LAYERS},
    },
    "depth": published.config(ddconfig={**published.LAYERS, "in_channels": 1, "out_ch": 1}),
    "segmentation": published.config(
        "VQSegmentationModel", n_labels=151, ddconfig={**published.LAYERS, "in_channels": 151, "out_ch": 151}
    ),
    "wide": published.config(ddconfig={**published.LAYERS, "ch_mult": 4}),
    "text": published.config(n_embed="many"),
    "none": published.config(ddconfig={**published.LAYERS, "ch_mult": []}),
}


@pytest.mark.parametrize("spoilt", [*SPOILT, "pointer", "page", "hidden", "no yaml", "bytes"])
def test_one_bad_file_in_the_folder_hides_no_other_model(folder, spoilt, capsys):
    bad = folder / "bad.ckpt"
    published.write(bad, {"state_dict": {"a": torch.zeros(2, 2)}})
    published.write_yaml(folder / "bad.yaml", SPOILT.get(spoilt, published.config()))
    if spoilt == "pointer":
        bad.write_bytes((FILES / "lfs.ckpt").read_bytes())
    elif spoilt == "page":
        bad.write_text("<html></html>")
    elif spoilt == "hidden":
        bad.rename(folder / "._bad.ckpt")
        (folder / "bad.yaml").rename(folder / "._bad.yaml")
    elif spoilt == "no yaml":
        (folder / "bad.yaml").write_text("model: [")
    elif spoilt == "bytes":
        (folder / "bad.yaml").write_bytes(b"\xff\xfe\x00model")
    names = [item.entry.name for item in list_models() if item.state == "own"]
    assert names == ["2021_faces", "deep", "flowers"]
    assert main(["models", "list"]) == 0
    said = capsys.readouterr()
    assert "flowers" in said.out
    assert ("“bad” was left out: The " in said.err) == (spoilt != "hidden")
    for name in names:
        load_vqgan(name, "cpu")


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("kl", "for an autoencoder without a codebook .KL., not for a VQGAN"),
        ("depth", r"not RGB, such as depth or segmentation maps \(1 channels in, 1 out\)"),
        ("segmentation", "not RGB"),
        ("wide", "ddconfig.ch_mult is wrong"),
        ("text", "n_embed is wrong"),
        ("none", "ddconfig.ch_mult is wrong"),
    ],
)
def test_unsupported_models_are_refused_by_their_config(folder, spoilt, said):
    published.write_yaml(folder / "flowers.yaml", SPOILT[spoilt])
    with pytest.raises(ModelError, match=said):
        find_vqgan("flowers")


@pytest.mark.parametrize("name", ["VQModel", "AutoencoderKL", "UNet2DModel"])
def test_an_empty_json_config_is_a_model_error(folder, name):
    (folder / "flowers.yaml").unlink()
    (folder / "config.json").write_text(json.dumps({"_class_name": name}))
    with pytest.raises(ModelError, match=r"The config config\.json"):
        find_vqgan("flowers")


@given(change=st.dictionaries(
    st.sampled_from([*published.LAYERS, "embed_dim", "n_embed", "ddconfig"]),
    st.none() | st.booleans() | st.integers(-2, 40) | st.text(max_size=3) | st.lists(st.integers(-1, 9), max_size=3),
    min_size=1, max_size=4,
))  # fmt: skip
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_config_is_read_or_is_a_model_error(folder, change):
    node = published.config()
    for name, value in change.items():
        (node["params"]["ddconfig"] if name in published.LAYERS else node["params"])[name] = value
        if not isinstance(node["params"]["ddconfig"], dict):
            break
    published.write_yaml(folder / "flowers.yaml", node)
    with contextlib.suppress(ModelError):
        find_vqgan("flowers")
        load_vqgan("flowers", "cpu")
