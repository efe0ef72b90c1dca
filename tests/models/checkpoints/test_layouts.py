"""Every published layout of a VQGAN reads as the same network: encoder, decoder and quantizer equal
those that saved it."""

import json
import re
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from pixgen.errors import ModelError
from pixgen.models.catalog import Entry
from pixgen.models.vqgan.vqgan import Vqgan, load_vqgan
from tests.models import dalles, published


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the test's own."""
    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("kind", ["VQModel", "GumbelVQ", "EMAVQ"])
def test_a_lightning_checkpoint_equals_tamings_own(tmp_path, monkeypatch, pictures, kind, legacy):
    node = published.config(kind)
    theirs = published.taming(node)
    weights = theirs.state_dict()
    if kind == "EMAVQ":
        weights |= {
            "quantize.embedding.cluster_size": torch.ones(24),
            "quantize.embedding.embed_avg": torch.ones(24, 8),
        }
    checkpoint = published.write(
        tmp_path / "last.ckpt", published.lightning(weights, monkeypatch), legacy=legacy
    )
    config = published.write_yaml(tmp_path / "model.yaml", node)
    published.assert_equal_networks(load_vqgan(str(checkpoint), "cpu", str(config)), theirs, pictures)


def test_the_first_stage_of_a_transformer_is_read(tmp_path, monkeypatch, pictures):
    node = published.config()
    theirs = published.taming(node)
    weights = {
        **{f"first_stage_model.{name}": tensor for name, tensor in theirs.state_dict().items()},
        **{
            f"cond_stage_model.{name}": tensor
            for name, tensor in published.taming(published.config(n_embed=7), seed=1).state_dict().items()
        },
        "transformer.tok_emb.weight": torch.zeros(24, 16),
    }
    logs = tmp_path / "2020-11-13T21-41-45_faceshq_transformer"
    checkpoint = published.write(logs / "checkpoints/last.ckpt", published.lightning(weights, monkeypatch))
    published.write_yaml(logs / "configs/2020-11-13T21-41-45-project.yaml", published.net2net(node))
    published.assert_equal_networks(load_vqgan(str(checkpoint), "cpu"), theirs, pictures)


@pytest.mark.parametrize("before", ["module.", "_orig_mod.", "module._orig_mod.", "vqgan.", "model.vq."])
def test_prefixes_of_names_are_removed(tmp_path, pictures, before):
    node = published.config()
    theirs = published.taming(node)
    weights = {f"{before}{name}": tensor for name, tensor in theirs.state_dict().items()}
    weights |= {
        f"{before}loss.discriminator.main.0.weight": torch.zeros(2, 3, 4, 4),
        "module.lpips.lin0.weight": torch.zeros(1, 3),
    }
    checkpoint = published.write(tmp_path / "a.ckpt", {"model": weights, "step": 4})
    published.write_yaml(tmp_path / "a.yaml", node)
    published.assert_equal_networks(load_vqgan(str(checkpoint), "cpu"), theirs, pictures)


def test_latent_diffusions_ema_is_used(tmp_path, pictures):
    node = published.config(target="ldm.models.autoencoder.VQModelInterface")
    theirs = published.taming(node)
    checkpoint = published.write(
        tmp_path / "vq.ckpt", {"state_dict": published.averaged(theirs.state_dict())}
    )
    published.write_yaml(tmp_path / "vq.yaml", node)
    published.assert_equal_networks(load_vqgan(str(checkpoint), "cpu"), theirs, pictures)


@torch.no_grad()
def test_llamagens_codes_lie_on_the_unit_sphere(tmp_path, pictures):
    node = published.config(unit_codes=True)
    theirs = published.taming(node)
    published.write(tmp_path / "vq_ds4.pt", published.llamagen(theirs.state_dict()))
    published.write_yaml(tmp_path / "vq_ds4.yaml", node)
    ours = published_model(tmp_path / "vq_ds4.pt", node)
    hidden = F.normalize(theirs.encode(pictures * 2 - 1), dim=1)
    codes = F.normalize(theirs.quantize.embedding.weight, dim=1)
    nearest = torch.cdist(hidden.movedim(1, 3).flatten(0, 2), codes).argmin(1)
    assert torch.allclose(ours.encode(pictures), hidden, atol=1e-5)
    assert torch.equal(ours.codes(hidden).flatten(), nearest)
    latents = ours.lookup(nearest.view(2, 8, 8))
    assert torch.allclose(ours.decode(latents) * 2 - 1, theirs.decode(latents), atol=1e-5)


def published_model(path, node) -> Vqgan:
    """A checkpoint with the very node as its config, beside what a YAML file can say."""
    from pixgen.models.checkpoints.layouts import to_taming
    from pixgen.models.checkpoints.reading import read_weights

    model = Vqgan(node)
    model.load_state_dict(to_taming(read_weights(path), unit_codes=True))
    return model.eval()


@torch.no_grad()
@pytest.mark.parametrize("middle", [True, False], ids=["attention", "no attention"])
def test_diffusers_models_equal_diffusers_own(tmp_path, pictures, middle):
    diffusers = pytest.importorskip("diffusers", reason="diffusers is in requirements-dev.txt")
    torch.manual_seed(0)
    theirs = diffusers.VQModel(
        block_out_channels=(32, 32, 64),
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
        up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"),
        layers_per_block=2,
        latent_channels=8,
        num_vq_embeddings=24,
        norm_num_groups=16,
        mid_block_add_attention=middle,
    ).eval()
    torch.nn.init.normal_(theirs.quantize.embedding.weight)
    save_file(theirs.state_dict(), tmp_path / "diffusion_pytorch_model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": "VQModel", **theirs.config}))
    ours = load_vqgan(str(tmp_path / "diffusion_pytorch_model.safetensors"), "cpu")
    seen = pictures * 2 - 1 if middle else pictures  # aMUSEd's have no attention, and pictures in [0, 1]
    hidden = theirs.encode(seen).latents
    assert torch.allclose(ours.encode(pictures), hidden, atol=1e-5)
    latents, _, (_, _, codes) = theirs.quantize(hidden)
    assert torch.equal(ours.codes(hidden).flatten(), codes.flatten())
    drawn = theirs.decode(latents, force_not_quantize=True).sample
    assert torch.allclose(ours.decode(latents), (drawn + 1) / 2 if middle else drawn, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda params: params.update(n_embed=32), r"quantize.embedding.weight is \(24, 8\) instead of \(32, 8\)"),
        (lambda params: params["ddconfig"].update(attn_resolutions=[]), "encoder.down.2.attn.0.norm.weight is not part"),
        (lambda params: params["ddconfig"].update(num_res_blocks=2), "encoder.down.0.block.1.norm1.weight is missing"),
        (lambda params: params["ddconfig"].update(ch=33), "does not describe a valid VQGAN"),
        (lambda params: params.pop("n_embed"), "n_embed is missing"),
    ],
)  # fmt: skip
def test_mismatches_with_the_config_are_reported_before_storing(tmp_path, change, said):
    node = published.config()
    checkpoint = published.write(tmp_path / "a.ckpt", {"state_dict": published.taming(node).state_dict()})
    change(node["params"])
    published.write_yaml(tmp_path / "a.yaml", node)
    with pytest.raises(ModelError, match=said):
        load_vqgan(str(checkpoint), "cpu")
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def flax_tree(weights: dict[str, torch.Tensor]) -> dict:
    """A VQGAN as vqgan-jax nests it: convolutions turned, levels and blocks without their dots."""
    tree: dict = {}
    for name, tensor in weights.items():
        name = re.sub(r"\.(down|up)\.(\d+)\.", r".\1_\2.", name)
        name = re.sub(r"\.(block|attn)\.(\d+)\.", r".\1_\2.", name)
        *path, kind = name.split(".")
        if path[-1] == "embedding":
            kind = "embedding"
        elif kind == "weight":
            kind = "kernel" if tensor.ndim == 4 else "scale"
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[kind] = tensor.permute(2, 3, 1, 0) if kind == "kernel" else tensor
    return tree


def of_dalle_mini(**params) -> Entry:
    return Entry(
        name="lakes",
        kind="vqgan",
        paints="lakes",
        licence="MIT",
        home="https://example.org",
        model=published.config(pixels="unit", decoder_alone=True, **params),
        sources=("file:",),
    )


def test_dalle_minis_flax_file_is_read(tmp_path, pictures):
    theirs = published.taming(published.config())
    file = tmp_path / "flax_model.msgpack"
    file.write_bytes(dalles.packed(flax_tree(theirs.state_dict())))
    entry = replace(of_dalle_mini(), sources=(f"file:{file}",))
    ours = load_entry(entry)
    with torch.no_grad():
        hidden = theirs.encode(pictures)  # which are not in [-1, 1] there
        assert torch.allclose(ours.encode(pictures), hidden, atol=1e-5)
        latents = ours.nearest(hidden)
        assert torch.allclose(ours.decode(latents), theirs.decode(latents), atol=1e-5)


def test_min_dalles_decoder_decodes_and_cannot_encode(tmp_path, pictures):
    theirs = published.taming(published.config())
    weights = {
        name.removeprefix("quantize."): tensor
        for name, tensor in theirs.state_dict().items()
        if not name.startswith(("encoder.", "quant_conv."))
    }
    file = published.write(tmp_path / "detoker.pt", weights)
    ours = load_entry(replace(of_dalle_mini(), sources=(f"file:{file}",)))
    codes = torch.arange(16).view(1, 4, 4)
    with torch.no_grad():
        latents = theirs.quantize.embedding(codes).movedim(3, 1)
        assert torch.allclose(ours.decode(ours.lookup(codes)), theirs.decode(latents), atol=1e-5)
    with pytest.raises(ModelError, match="has no encoder and cannot start from a picture"):
        ours.encode(pictures)


def test_only_min_dalle_may_lack_an_encoder(tmp_path):
    theirs = published.taming(published.config())
    weights = {name: part for name, part in theirs.state_dict().items() if not name.startswith("encoder.")}
    file = published.write(tmp_path / "half.ckpt", weights)
    config = published.write_yaml(tmp_path / "half.yaml", published.config())
    with pytest.raises(ModelError, match="encoder.conv_in.weight is missing"):
        load_vqgan(str(file), "cpu", str(config))


def load_entry(entry: Entry) -> Vqgan:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pixgen.models.vqgan.custom.find_entry", lambda name, kind: entry)
        return load_vqgan(entry.name, "cpu")
