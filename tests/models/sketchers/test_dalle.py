"""DALL·E mini: what is read from each published layout is the network that was saved, or refused."""

import os
import pickle

import pytest
import torch

from pixgen.errors import ModelError
from pixgen.models import registry, store
from pixgen.models.catalog import find_entry
from pixgen.models.sketchers.factory import empty_dalle, fetch_sketcher, load_sketcher
from tests.models import dalles

pytestmark = pytest.mark.usefixtures("caches")


@pytest.fixture
def folder(tmp_path):
    """Where a person puts the files of the small model."""
    return tmp_path / "cache" / "models" / "dalle-tiny"


@pytest.fixture
def tiny(monkeypatch):
    """The small model in the catalog."""
    entry = dalles.entry()
    monkeypatch.setattr("pixgen.models.sketchers.factory.get_entry", lambda name, kind: entry)
    return entry


LAYOUTS = {
    "min-dalle": dalles.write_min_dalle,
    "min-dalle's mini": lambda folder: dalles.write_min_dalle(folder, suffix="_mini"),
    "flax scanned": lambda folder: dalles.write_flax(folder, scanned=True),
    "flax unscanned": lambda folder: dalles.write_flax(folder, scanned=False),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@torch.no_grad()
def test_every_layout_loads_the_saved_network(folder, tiny, layout):
    LAYOUTS[layout](folder)
    model = load_sketcher("dalle-tiny", "cpu")
    before = torch.tensor([35, 3, 20, 7, 0])
    tokens = torch.tensor(model.words.encode("a red fox", places=12))
    expected = dalles.logits(dalles.halves(), tokens, before)
    assert torch.allclose(model.decoder(before[None], model.read(["a red fox"]))[0], expected, atol=1e-4)
    assert not any(parameter.requires_grad for parameter in model.parameters())


@torch.no_grad()
def test_sampling_step_by_step_equals_one_pass(folder, tiny):
    dalles.write_min_dalle(folder)
    model = load_sketcher("dalle-tiny", "cpu")
    read, codes = model.read(["a red fox", ""]), torch.randint(24, (2, 16))
    before = torch.cat([model.start(2)[:, None], codes[:, :-1]], 1)
    whole = model.decoder(before, read)[:, :, :24]
    caches = model.caches()
    steps = [model.next_logits(before[:, place], read, place=place, caches=caches) for place in range(16)]
    assert torch.allclose(torch.stack(steps, 1), whole, atol=1e-4)
    assert not torch.allclose(whole[0], whole[1], atol=1e-2)


def test_it_is_converted_once_and_half_precision_is_kept(folder, tiny, tmp_path):
    dalles.write_min_dalle(folder, number=torch.float16)
    assert registry.state_of(tiny) == "here"
    made = fetch_sketcher(tiny)
    kept = tmp_path / "cache/models/dalle-tiny.safetensors"
    assert made == kept
    before = kept.stat().st_mtime_ns
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert fetch_sketcher(tiny) == kept
    assert kept.stat().st_mtime_ns == before
    assert load_sketcher("dalle-tiny", "cpu").decoder.lm_head.weight.dtype == torch.float32
    assert registry.check(tiny)
    assert registry.remove(tiny) > 100_000
    assert registry.state_of(tiny) == "to fetch"


def test_changed_converted_weights_are_refused(folder, tiny):
    dalles.write_min_dalle(folder)
    with fetch_sketcher(tiny).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    with pytest.raises(ModelError, match="has changed since it was first read"):
        load_sketcher("dalle-tiny", "cpu")


@pytest.mark.parametrize("layout", ["min-dalle", "flax scanned"])
def test_a_wrong_shape_is_reported_and_nothing_is_stored(folder, tiny, monkeypatch, layout):
    given = dalles.halves()
    given["decoder"]["layers.1.glu.fc1.weight"] = torch.zeros(41, 32)
    given["decoder"]["layers.0.glu.fc1.weight"] = torch.zeros(41, 32)
    monkeypatch.setattr("tests.models.dalles.halves", lambda: given)
    LAYOUTS[layout](folder)
    with pytest.raises(
        ModelError, match=r"decoder.layers.0.glu.fc1.weight is \(41, 32\) instead of \(40, 32\)"
    ):
        fetch_sketcher(tiny)
    assert store.find_weights(tiny) is None


def test_missing_and_unexpected_parts_are_reported(folder, tiny, monkeypatch):
    given = dalles.halves()
    gone = given["encoder"].pop("layers.0.self_attn.k_proj.weight")
    monkeypatch.setattr("tests.models.dalles.halves", lambda: given)
    dalles.write_min_dalle(folder)
    with pytest.raises(ModelError, match="encoder.layers.0.self_attn.k_proj.weight is missing"):
        fetch_sketcher(tiny)
    given["encoder"] |= {
        "layers.0.self_attn.k_proj.weight": gone,
        "layers.0.self_attn.k_proj.bias": gone[0],
    }
    dalles.write_min_dalle(folder)
    with pytest.raises(ModelError, match="encoder.layers.0.self_attn.k_proj.bias is not part of it"):
        fetch_sketcher(tiny)


@pytest.mark.parametrize("name", ["encoder.pt", "decoder.pt", "vocab.json", "merges.txt"])
def test_a_missing_file_is_named(folder, tiny, name):
    dalles.write_min_dalle(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing from .*dalle-tiny: put it there"):
        fetch_sketcher(tiny)


class Hostile:
    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_hostile_pickle_is_refused_and_nothing_of_it_is_run(folder, tiny, tmp_path):
    dalles.write_min_dalle(folder)
    torch.save({"embed_tokens.weight": Hostile(tmp_path / "run")}, folder / "encoder.pt")
    with pytest.raises(
        ModelError,
        match="encoder.pt was rejected and none of its code was run: it refers to “(posix|nt).mkdir”",
    ):
        fetch_sketcher(tiny)
    (folder / "decoder.pt").write_bytes(pickle.dumps(Hostile(tmp_path / "run")))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-5],
        lambda data: data + b"\xc0",
        lambda data: b"",
        lambda data: b"\xdf\xff\xff\xff\xff",
        lambda data: b"\x91" * 5000 + b"\xc0",
        lambda data: data.replace(b"float32", b"float64"),
    ],
    ids=["short", "long", "empty", "endless", "deep", "other numbers"],
)
def test_a_broken_msgpack_is_refused(folder, tiny, spoil):
    dalles.write_flax(folder, scanned=True)
    file = folder / "flax_model.msgpack"
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(ModelError, match="flax_model.msgpack is missing, broken or incomplete"):
        fetch_sketcher(tiny)


def test_chunked_arrays_are_put_together(folder, tiny):
    dalles.write_flax(folder, scanned=True)
    tree = dalles.of_flax(dalles.halves(), scanned=True)
    (folder / "flax_model.msgpack").write_bytes(dalles.packed(tree, pieces_of=100))
    model = load_sketcher("dalle-tiny", "cpu")
    assert torch.equal(model.decoder.lm_head.weight, dalles.halves()["decoder"]["lm_head.weight"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("vocab.json", "{"),
        ("vocab.json", "[]"),
        ("vocab.json", '{"a": "b"}'),
        ("vocab.json", '{"a": 1}'),
    ],
)
def test_a_broken_vocabulary_is_refused(folder, tiny, name, text):
    dalles.write_min_dalle(folder)
    (folder / name).write_text(text)
    with pytest.raises(ModelError, match=r"vocab\.json"):
        fetch_sketcher(tiny)


def test_without_a_network_the_error_says_which_files_to_put_where(tiny):
    with pytest.raises(ModelError) as raised:
        fetch_sketcher(tiny)
    said = str(raised.value)
    assert "no connection" in said
    assert "put encoder.pt, decoder.pt, vocab.json and merges.txt from https://example.org/tiny into " in said
    assert said.endswith("dalle-tiny, or choose pocket, which needs no download.")


@pytest.mark.parametrize(
    ("name", "millions", "file_megabytes"),
    [
        ("dalle-mini", 437.96, {"decoder": 471, "both": 1752}),
        ("dalle-mega", 2587.97, {"decoder": 2960}),
    ],
)
def test_the_catalogs_forms_are_as_large_as_what_is_published(name, millions, file_megabytes):
    model = empty_dalle(find_entry(name, "sketcher"))
    counts = {
        half: sum(part.numel() for part in getattr(model, half).parameters())
        for half in ("encoder", "decoder")
    }
    assert sum(counts.values()) / 1e6 == pytest.approx(millions, abs=0.01)
    assert 2 * counts["decoder"] / 1e6 == pytest.approx(file_megabytes["decoder"], rel=0.002)
    if "both" in file_megabytes:  # dalle-mini's own file, in full precision
        assert 4 * sum(counts.values()) / 1e6 == pytest.approx(file_megabytes["both"], rel=0.002)
