"""Models by open_clip's names: the same numbers as open_clip's own, or one clear sentence."""

import json

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from pixgen.errors import ModelError
from pixgen.models.clip import load_perceptor

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
def test_a_model_from_open_clip_sees_and_reads_as_there(folder):
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
        ("local-dir:/nowhere", "cannot be loaded .*choose pocket"),
    ],
)
def test_a_name_that_is_not_known_is_a_sentence(name, said):
    with pytest.raises(ModelError, match=said):
        load_perceptor((name,), "cpu")


def test_a_folder_without_weights_is_not_taken_for_a_model(folder):
    (folder / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_perceptor((f"local-dir:{folder}",), "cpu")
