"""Models by open_clip's names: the same numbers as open_clip's own, or one clear sentence."""

import json
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from pixgen.errors import ModelError
from pixgen.models.architectures import build_clip
from pixgen.models.catalog import entries, find_entry
from pixgen.models.clip.files import fetch
from pixgen.models.clip.open_clip import find_clip, load_open_clip, open_clip_entry
from pixgen.models.clip.perceptor import load_perceptor

SMALL = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
SHOWN = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4], "size": [32, 32]}


@pytest.fixture
def folder(tmp_path):
    """A model of open_clip's in a folder, as its authors publish them."""
    from open_clip.model import CLIP

    torch.manual_seed(0)
    config = {"model_cfg": SMALL, "preprocess_cfg": SHOWN}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    save_file(CLIP(**SMALL).state_dict(), tmp_path / "open_clip_model.safetensors")
    return tmp_path


@torch.no_grad()
def test_a_model_of_open_clip_embeds_as_open_clip_does(folder):
    import open_clip

    name = f"local-dir:{folder}"
    ours, theirs = load_perceptor((name,), "cpu"), open_clip.create_model(name).eval()
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    mean, std = (torch.tensor(SHOWN[key])[:, None, None] for key in ("mean", "std"))
    seen = F.normalize(theirs.encode_image((pictures - mean) / std), dim=-1)
    read = F.normalize(theirs.encode_text(open_clip.get_tokenizer(name)(["a fox"])), dim=-1)
    assert torch.allclose(ours.embed_images(pictures), seen, atol=1e-5)
    assert torch.allclose(ours.embed_texts(["a fox"]), read, atol=1e-5)
    assert ours.logit_scale == pytest.approx(float(theirs.logit_scale.exp()))
    assert not any(each.requires_grad for each in ours.parameters())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ViT-Z/openai", "open_clip has no model “ViT-Z”"),
        ("ViT-B-32/nobody", "ViT-B-32 has no weights “nobody”: choose openai, "),
        ("local-dir:/nowhere", "There is no CLIP file “/nowhere”: check its path"),
    ],
)
def test_an_unknown_name_is_a_model_error(name, said):
    with pytest.raises(ModelError, match=said):
        load_perceptor((name,), "cpu")


def test_a_folder_without_weights_is_not_taken_for_a_model(folder):
    (folder / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelError, match="contains no CLIP weights"):
        load_perceptor((f"local-dir:{folder}",), "cpu")


@pytest.fixture
def tagged(tmp_path, monkeypatch):
    """An architecture with weights under two tags, one trained with QuickGELU, both put by hand into the
    cache as it says where there is no network."""
    import open_clip
    from open_clip.model import CLIP

    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "Small-T.json").write_text(json.dumps(SMALL))
    open_clip.add_model_config(tmp_path / "Small-T.json")
    tags = {"openai": {"quick_gelu": True}, "laion": {"mean": (0.5,) * 3, "std": (0.25,) * 3}}
    monkeypatch.setattr(open_clip, "list_pretrained_tags_by_model", lambda name: list(tags))
    monkeypatch.setattr(open_clip, "get_pretrained_cfg", lambda name, tag: {"hf_hub": "o/r/", **tags[tag]})
    folder = tmp_path / "cache" / "models"
    folder.mkdir(parents=True)
    for seed, tag in enumerate(tags):
        torch.manual_seed(seed)
        save_file(CLIP(**SMALL).state_dict(), folder / f"Small-T--{tag}.safetensors")
    return folder


@torch.no_grad()
@pytest.mark.parametrize("tag", ["openai", "laion"])
def test_weights_by_tag_embed_as_open_clip_does(tagged, tag):
    import open_clip
    from open_clip.model import CLIP

    theirs = CLIP(**SMALL, quick_gelu=tag == "openai").eval()
    theirs.load_state_dict(load_file(tagged / f"Small-T--{tag}.safetensors"))
    ours = load_perceptor((f"Small-T/{tag}",), "cpu")
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    mean, std = ours.mean, ours.std
    assert tag == "openai" or torch.equal(mean, torch.full((3, 1, 1), 0.5))
    seen = F.normalize(theirs.encode_image((pictures - mean) / std), dim=-1)
    read = F.normalize(theirs.encode_text(open_clip.get_tokenizer("Small-T")(["a fox"])), dim=-1)
    assert torch.allclose(ours.embed_images(pictures), seen, atol=1e-5)
    assert torch.allclose(ours.embed_texts(["a fox"]), read, atol=1e-5)


def test_without_a_network_the_error_says_which_file_to_put_where(tagged, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tagged.parent / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    (tagged / "Small-T--laion.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        load_perceptor(("Small-T/laion",), "cpu")
    assert str(caught.value) == (
        "“Small-T/laion” cannot be downloaded (127.0.0.1:9: no connection): get open_clip_model.safetensors from "
        f"https://huggingface.co/o/r and save it as {tagged / 'Small-T--laion.safetensors'}, or choose pocket, which needs no download."
    )


@torch.no_grad()
def test_a_robust_clip_that_was_put_there_by_hand_needs_no_network(tagged, monkeypatch):
    from open_clip.model import CLIP

    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tagged.parent / "hub"))
    theirs = CLIP(**SMALL).eval()
    save_file(theirs.state_dict(), tagged / "robust-ViT-B-32.safetensors")
    entry = replace(find_entry("robust-ViT-B-32", "clip"), form="Small-T")
    ours, tokenizer, shown = load_open_clip(entry)
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(ours.eval().encode_image(pictures), theirs.encode_image(pictures), atol=1e-5)
    assert tokenizer(["a fox"]).shape == (1, 77)
    assert shown["size"] == 32


def test_missing_packages_are_named_before_the_download():
    with pytest.raises(ModelError, match="needs a_package_that_is_not_there, which is not installed"):
        fetch(replace(find_entry("ViT-B-32/openai", "clip"), needs="a_package_that_is_not_there"))


def test_every_clip_of_the_catalog_has_open_clips_source():
    for entry in entries("clip"):
        if not entry.bundled:
            assert entry.sources == open_clip_entry(entry.open_clip).sources


def test_the_architecture_of_a_robust_clip_needs_no_network():
    with torch.device("meta"):
        for entry in entries("clip"):
            if entry.form:
                assert build_clip(entry.name)[1] in (224, 256)


@pytest.mark.parametrize("name", ["ViT-B/32", "ViT-L/14@336px"])
def test_openais_own_names_are_known(name):
    entry = find_clip(name)
    assert entry.open_clip.startswith("ViT-")
    assert entry.open_clip.endswith("/openai")


@torch.no_grad()
@pytest.mark.filterwarnings("ignore")
def test_openais_archive_may_be_put_into_the_cache(tagged):
    from open_clip.model import CLIP

    small = {
        **SMALL,
        "vision_cfg": {**SMALL["vision_cfg"], "width": 64, "head_width": 64},
        "text_cfg": {**SMALL["text_cfg"], "width": 64, "heads": 1},
    }
    theirs = CLIP(**small, quick_gelu=True).eval()
    asked = torch.rand(1, 3, 32, 32), torch.ones(1, 77, dtype=torch.int64)
    (tagged / "Small-T--openai.safetensors").unlink()
    torch.jit.trace(theirs, asked, check_trace=False).save(str(tagged / "Small-T--openai.pt"))
    ours = load_perceptor(("Small-T/openai",), "cpu")
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    seen = F.normalize(theirs.encode_image((pictures - ours.mean) / ours.std), dim=-1)
    assert torch.allclose(ours.embed_images(pictures), seen, atol=1e-5)
