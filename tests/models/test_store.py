"""Fetched VQGANs: converted once, checked ever after, and a sentence where they cannot be had."""

import hashlib
import io
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from pixgen.errors import ModelError
from pixgen.models import store
from pixgen.models.catalog import Entry, entries, find_entry
from pixgen.models.clip.open_clip import open_clip_entry
from pixgen.models.registry import state_of
from pixgen.models.vqgan.vqgan import fetch_vqgan, load_vqgan
from pixgen.recipe.presets import load_preset
from tests.models import published
from tests.models.servers import Files, serving

DEAD = "http://127.0.0.1:9/model.ckpt"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def data(tmp_path) -> bytes:
    """A published checkpoint's bytes."""
    weights = published.taming(published.config()).state_dict()
    return published.write(tmp_path / "published.ckpt", {"state_dict": weights}).read_bytes()


def entry(url: str, **facts) -> Entry:
    """A catalogued model at an address."""
    made = Entry(
        name="lakes",
        kind="vqgan",
        paints="lakes",
        licence="MIT",
        model=published.config(),
        sources=(url,),
        home="https://example.org/lakes",
    )
    return replace(made, **facts)


def files(cache) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_a_fetched_model_is_converted_once_and_needs_no_network_then(cache, data):
    with serving(Files(data)) as server:
        wanted = entry(server.url)
        made = fetch_vqgan(wanted)
    assert files(cache) == ["hashes.json", "lakes.json", "lakes.safetensors"]
    before = made.stat().st_mtime_ns
    assert fetch_vqgan(wanted) == made == store.find_weights(wanted)
    assert made.stat().st_mtime_ns == before


def test_what_a_space_has_preloaded_needs_no_network(cache, data, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    wanted = entry(DEAD, sources=(DEAD, "hub:org/lakes/weights/lakes.ckpt"))
    assert store.preloaded_files(wanted) is None
    assert state_of(wanted) == "to fetch"
    kept = tmp_path / "hub" / "models--org--lakes"
    file = kept / "snapshots" / ("c" * 40) / "weights" / "lakes.ckpt"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("c" * 40)
    assert state_of(wanted) == "here"
    assert fetch_vqgan(wanted) == store.find_weights(wanted)
    assert file.exists()  # it belongs to another cache


def test_the_guide_preloads_what_the_preset_needs():
    guide = (
        (Path(__file__).parents[2] / "docs" / "hosting.md")
        .read_text("utf-8")
        .split("preload_from_hub:\n")[1]
        .split("```")[0]
    )
    lines = [line.strip("- ").split() for line in guide.splitlines() if line.strip()]
    recipe = load_preset("full-draft").recipe
    vqgan, clip = find_entry(recipe["model"], "vqgan"), open_clip_entry(recipe["clip"][0])
    (vqgan_repository, vqgan_file), (clip_repository, clip_file) = lines
    assert f"hub:{vqgan_repository}/{vqgan_file}" in vqgan.sources
    assert clip.sources == (f"hub:{clip_repository}",)
    assert clip_file == "open_clip_model.safetensors"


def test_it_loads_by_its_name(monkeypatch, data):
    theirs = published.taming(published.config())
    with serving(Files(data)) as server:
        monkeypatch.setattr("pixgen.models.vqgan.custom.find_entry", lambda name, kind: entry(server.url))
        ours = load_vqgan("lakes", "cpu")
    codes = torch.arange(16).view(1, 4, 4)
    latents = theirs.quantize.embedding(codes).movedim(3, 1)
    assert torch.allclose(ours.decode(ours.lookup(codes)) * 2 - 1, theirs.decode(latents), atol=1e-5)
    assert not any(parameter.requires_grad for parameter in ours.parameters())


def test_changed_converted_weights_are_not_used(data):
    with serving(Files(data)) as server:
        wanted = entry(server.url)
        made = fetch_vqgan(wanted)
    with made.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    with pytest.raises(ModelError, match="“lakes” has changed since it was first read"):
        fetch_vqgan(wanted)


def test_the_first_hash_is_stored_and_another_file_is_refused(cache, data):
    with serving(Files(data)) as server:
        wanted = entry(server.url)
        fetch_vqgan(wanted)
        assert store.remove(wanted) > 0
        assert files(cache) == ["hashes.json"]
        server.data = data + b" "
        with pytest.raises(ModelError, match="gave another file"):
            fetch_vqgan(wanted)
        store.forget_hash(wanted)
        fetch_vqgan(wanted)


def test_a_published_hash_is_checked(data):
    with serving(Files(data)) as server:
        with pytest.raises(ModelError, match="gave another file"):
            fetch_vqgan(entry(server.url, sha256="0" * 64))
        fetch_vqgan(entry(server.url, sha256=hashlib.sha256(data).hexdigest()))


def test_without_a_network_the_error_says_which_file_to_put_where(cache, data, monkeypatch):
    monkeypatch.setattr("pixgen.models.download.ATTEMPTS", 1)
    wanted = entry(DEAD)
    place = cache / "models" / "lakes.ckpt"
    with pytest.raises(ModelError) as caught:
        fetch_vqgan(wanted)
    assert str(caught.value) == (
        "“lakes” cannot be downloaded (127.0.0.1:9: no connection): get its file from https://example.org/lakes and save it as "
        f"{place}, or choose pocket, which needs no download."
    )
    assert load_vqgan("pocket", "cpu").factor == 8
    place.write_bytes(data)
    assert fetch_vqgan(wanted).exists()
    assert place.exists()  # what a person has put there stays


def test_converted_weights_of_another_machine_are_used(cache, data):
    with serving(Files(data)) as server:
        made = fetch_vqgan(entry(server.url))
    copied = made.read_bytes()
    store.remove(entry(DEAD))
    store.forget_hash(entry(DEAD))
    made.write_bytes(copied)
    assert fetch_vqgan(entry(DEAD)) == made


def test_weights_that_do_not_fit_are_not_stored(cache, data):
    with serving(Files(data)) as server:
        with pytest.raises(ModelError, match="do not fit the model: quantize.embedding.weight"):
            fetch_vqgan(entry(server.url, model=published.config(embed_dim=16)))
    assert "lakes.safetensors" not in files(cache)
    assert "hashes.json" not in files(cache)


def test_the_number_of_codes_is_read_from_the_file(monkeypatch, data):
    with serving(Files(data)) as server:
        wanted = entry(server.url, model=published.config(n_embed=32))
        monkeypatch.setattr("pixgen.models.vqgan.custom.find_entry", lambda name, kind: wanted)
        assert load_vqgan("lakes", "cpu").codebook.shape == (24, 8)


def test_a_checkpoint_in_a_zip_is_converted(cache, data):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("model.ckpt", data)
    with serving(Files(packed.getvalue())) as server:
        assert fetch_vqgan(entry(f"zip:{server.url}")).exists()
    assert files(cache) == ["hashes.json", "lakes.json", "lakes.safetensors"]


def test_a_zip_without_its_checkpoint_is_an_unavailable_source():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with serving(Files(packed.getvalue())) as server:
        with pytest.raises(ModelError, match="its zip is broken or contains no model.ckpt"):
            fetch_vqgan(entry(f"zip:{server.url}"))


def test_every_model_of_the_catalog_can_be_built_and_has_a_source():
    from pixgen.models.vqgan.vqgan import Vqgan

    for each in entries("vqgan"):
        if not each.bundled:
            with torch.device("meta"):
                model = Vqgan(each.model)
            assert model.codebook.shape[0] == each.codes
            assert model.factor == each.factor
            assert all(source.startswith(("https://", "hub:", "zip:https://")) for source in each.sources)
            assert each.home.startswith("https://")
