"""Own checkpoints: by path with their config, or found in one folder."""

import pytest

from pixgen.errors import ModelError
from pixgen.models.own import find_vqgan, own_models
from pixgen.models.vqgan import load_vqgan
from tests.models import published


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
    first_stage = {
        f"first_stage_model.{name}": tensor for name, tensor in value["state_dict"].items()
    }
    for name in ("flowers", "deep/model", "orphan/alone"):
        published.write(home / f"{name}.ckpt", value)
    published.write_yaml(home / "flowers.yaml", node)
    published.write_yaml(home / "deep/config.yaml", node)
    published.write(home / "2021_faces/checkpoints/last.ckpt", {"state_dict": first_stage})
    published.write_yaml(home / "2021_faces/configs/2021-project.yaml", published.net2net(node))
    return home


def test_the_folder_is_looked_through(folder):
    assert list(own_models()) == ["2021_faces", "deep", "flowers"]


def test_each_loads_by_its_name(folder):
    for name in own_models():
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
        ("orphan/alone.ckpt", "", "No config lies beside “alone.ckpt”: name it with --config"),
        ("gone.ckpt", "", "There is no checkpoint"),
        ("flowers.ckpt", "gone.yaml", "The config gone.yaml is missing or broken"),
    ],
)
def test_what_is_missing_is_said(folder, name, config, said):
    with pytest.raises(ModelError, match=said):
        find_vqgan(str(folder / name), str(folder / config) if config else "")


def test_an_unknown_name_lists_own_models_too(folder):
    with pytest.raises(
        ModelError, match="choose pocket, imagenet-16384, .*flowers, or a checkpoint's path"
    ):
        load_vqgan("raphael", "cpu")


@pytest.mark.parametrize(
    "text", ["", "model: 3", "- 1", "model: [", "model: {target: a.b, params: {n_embed: 3}}"]
)
def test_a_config_that_describes_no_model_is_a_sentence(folder, text):
    (folder / "bad.yaml").write_text(text)
    with pytest.raises(ModelError, match="The config bad.yaml"):
        find_vqgan(str(folder / "flowers.ckpt"), str(folder / "bad.yaml"))
