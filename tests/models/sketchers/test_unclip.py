"""UnCLIP as diffusers has it: painted from words and from pictures, from a folder or Hugging Face's cache."""

import os
import pickle
import shutil
from importlib.util import find_spec

import pytest
import torch
from PIL import Image

from pixgen.errors import ModelError
from pixgen.models import load_sketcher, registry
from pixgen.models.catalog import find_entry
from pixgen.models.download import sha256_of
from pixgen.models.sketchers import unclip_files
from tests.models import karlos

PACKAGES = ("diffusers", "transformers")
needs_packages = pytest.mark.skipif(
    any(find_spec(name) is None for name in PACKAGES),
    reason="diffusers and transformers are in requirements-dev.txt",
)
quiet = pytest.mark.filterwarnings("ignore")  # theirs, of what will change in them


pytestmark = pytest.mark.usefixtures("caches")


@pytest.fixture
def karlo():
    return find_entry("karlo", "sketcher")


@pytest.fixture
def folder(tmp_path):
    """A small one, where a person puts it."""
    path = tmp_path / "cache" / "models" / "karlo"
    return karlos.write_seeing(karlos.write_painting(path))


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@needs_packages
@quiet
def test_it_paints_from_words_and_from_pictures(folder, karlo):
    assert registry.state_of(karlo) == "here"
    model = load_sketcher("karlo", "cpu")
    drawn = model.from_text("a fox", guidance=3.0, generator=chance())
    assert drawn.shape == (1, 3, 64, 64)
    assert 0 <= drawn.min() < drawn.max() <= 1
    assert torch.equal(drawn, model.from_text("a fox", guidance=3.0, generator=chance()))
    assert not torch.equal(drawn, model.from_text("a fox", guidance=3.0, generator=chance(1)))
    red, grey = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (30, 30), "grey")
    varied = [
        model.from_pictures(given, guidance=3.0, generator=chance())
        for given in ([(red, 1.0)], [(red, 2.0)], [(red, 1.0), (grey, 1.0)])
    ]
    assert varied[0].shape == (1, 3, 64, 64)
    assert torch.allclose(varied[0], varied[1], atol=1e-4)  # one picture alone: its weight says nothing
    assert not torch.allclose(varied[0], varied[2], atol=1e-2)


@needs_packages
@quiet
def test_the_pipelines_share_frozen_parts(folder):
    model = load_sketcher("karlo", "cpu")
    assert model._words.decoder is model._pictures.decoder
    parts = [part for part in model._words.components.values() if isinstance(part, torch.nn.Module)]
    assert not any(weight.requires_grad for part in parts for weight in part.parameters())


@needs_packages
@quiet
@pytest.mark.parametrize("part", ["prior", "image_encoder", "decoder_scheduler", "tokenizer"])
def test_a_missing_part_is_downloaded_or_reported(folder, karlo, part):
    shutil.rmtree(folder / part)
    assert registry.state_of(karlo) == "to fetch"
    with pytest.raises(
        ModelError, match="cannot be downloaded .*no connection.* into .*karlo, or choose pocket"
    ):
        load_sketcher("karlo", "cpu")


@needs_packages
@quiet
def test_a_wrong_shape_is_refused(folder):
    from safetensors.torch import load_file, save_file

    file = folder / "prior" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["proj_in.weight"] = torch.zeros(5, 5)
    save_file(weights, file)
    with pytest.raises(ModelError, match="The files of “karlo” in .* cannot be read"):
        load_sketcher("karlo", "cpu")


class Hostile:
    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@needs_packages
@quiet
@pytest.mark.parametrize("part", ["decoder", "image_encoder"])
def test_a_hostile_pickle_is_refused_and_nothing_of_it_is_run(folder, tmp_path, part):
    (file,) = (folder / part).glob("*.safetensors")
    name = "pytorch_model.bin" if part == "image_encoder" else "diffusion_pytorch_model.bin"
    file.unlink()
    (folder / part / name).write_bytes(pickle.dumps(Hostile(tmp_path / "run")))
    with pytest.raises(ModelError, match="The files of “karlo” in .* cannot be read"):
        load_sketcher("karlo", "cpu")
    assert not (tmp_path / "run").exists()


def test_missing_packages_are_named_to_install(karlo, monkeypatch):
    monkeypatch.setattr("pixgen.models.catalog.find_spec", lambda name: None)
    with pytest.raises(
        ModelError,
        match="“karlo” needs diffusers and transformers, .*: run pip install diffusers transformers",
    ):
        load_sketcher("karlo", "cpu")


def test_only_the_needed_files_of_a_repository_are_downloaded():
    names = [
        "README.md",
        "model_index.json",
        "decoder/config.json",
        "decoder/diffusion_pytorch_model.bin",
        "decoder/diffusion_pytorch_model.safetensors",
        "decoder/diffusion_pytorch_model.fp16.safetensors",
        "tokenizer/vocab.json",
        "image_encoder/config.json",
        "image_encoder/pytorch_model.bin",
    ]
    assert unclip_files.needed_files(names, None) == [
        "model_index.json",
        "decoder/config.json",
        "decoder/diffusion_pytorch_model.safetensors",
        "tokenizer/vocab.json",
        "image_encoder/config.json",
        "image_encoder/pytorch_model.bin",
    ]
    assert unclip_files.needed_files(names, unclip_files.IMAGE_PARTS) == names[-2:]


@needs_packages
@quiet
def test_it_is_found_in_hugging_faces_cache_verified_and_removed(tmp_path, karlo):
    writes = (karlos.write_painting, karlos.write_seeing)
    for repository, write, sign in zip(unclip_files.repositories(karlo), writes, "ab", strict=True):
        commit = sign * 40  # of one repository alone: revisions are removed by it
        home = tmp_path / "hub" / f"models--{repository.replace('/', '--')}"
        (home / "refs").mkdir(parents=True)
        (home / "refs" / "main").write_text(commit)
        snapshot = write(home / "snapshots" / commit)
        for file in [path for path in snapshot.rglob("*") if path.suffix == ".safetensors"]:
            blob = home / "blobs" / sha256_of(file)
            blob.parent.mkdir(exist_ok=True)
            file.rename(blob)
            file.symlink_to(blob)
    assert registry.state_of(karlo) == "here"
    assert load_sketcher("karlo", "cpu").from_text("a", guidance=1.0, generator=chance()).shape[1] == 3
    assert len(registry.check(karlo)) == 64
    weights = unclip_files.weight_bytes(karlo, half=False)
    assert unclip_files.weight_bytes(karlo, half=True) == weights // 2
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="of “karlo” has changed since it was downloaded"):
        registry.check(karlo)
    assert registry.remove(karlo) >= weights
    assert registry.state_of(karlo) == "to fetch"
