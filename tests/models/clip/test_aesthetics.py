"""LAION's heads, with files of their published layout."""

import pytest
import torch
import torch.nn.functional as F

from pixgen.errors import ModelError
from pixgen.models.clip.aesthetics import HEADS, head_file, load_aesthetic_predictor
from pixgen.models.clip.perceptor import Perceptors
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer

NAME = "ViT-B-32/openai"


@pytest.fixture
def head(tmp_path, monkeypatch):
    """Writes a head as LAION's are: the state of one linear layer."""
    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path))

    def write(width=16):
        linear = torch.nn.Linear(width, 1)
        head_file(NAME).parent.mkdir(parents=True, exist_ok=True)
        torch.save(linear.state_dict(), head_file(NAME))
        return linear

    return write


def test_it_scores_as_the_linear_layer_does(head, tiny_perceptor):
    linear, vectors = head(), F.normalize(torch.randn(5, 16), dim=-1)
    predictor = load_aesthetic_predictor(tiny_perceptor, [NAME])
    assert torch.allclose(predictor.scores(vectors), linear(vectors)[:, 0], atol=1e-6)


def test_among_several_clips_it_finds_its_own(head, tiny_perceptor):
    linear, both = head(), Perceptors([tiny_perceptor, tiny_perceptor], weights=[1, 3])
    pictures = torch.rand(3, 3, 32, 32)
    predictor = load_aesthetic_predictor(both, ["pocket", NAME])
    expected = linear(tiny_perceptor.embed_images(pictures))[:, 0]
    assert predictor.columns == slice(16, 32)
    assert torch.allclose(predictor.scores(both.embed_images(pictures)), expected, atol=1e-5)


def test_without_a_fitting_clip_the_error_lists_them(head, tiny_perceptor):
    with pytest.raises(ModelError, match=", ".join(HEADS)):
        load_aesthetic_predictor(tiny_perceptor, ["pocket"])


def test_without_its_file_the_error_says_what_to_put_where(tmp_path, head, tiny_perceptor):
    with pytest.raises(ModelError, match="download it from https://github.com/LAION-AI") as caught:
        load_aesthetic_predictor(tiny_perceptor, [NAME])
    assert str(tmp_path / "models" / "sa_0_4_vit_b_32_linear.pth") in str(caught.value)


def test_a_head_of_another_clip_is_refused(head, tiny_perceptor):
    head(width=32)
    with pytest.raises(ModelError, match="does not fit ViT-B-32/openai"):
        load_aesthetic_predictor(tiny_perceptor, [NAME])


def test_the_loss_changes_the_picture_and_reports_the_score(head, tiny_vqgan, tiny_perceptor):
    linear = head()
    torch.nn.init.normal_(linear.weight, std=8, generator=torch.Generator().manual_seed(2))
    torch.save(linear.state_dict(), head_file(NAME))

    def painted(**wanted):
        size = {"width": 32, "height": 32, "steps": 12, "seed": 3, "clip": [NAME]}
        recipe = make_recipe(
            {"prompts": "a red fox", **size},
            {"losses": wanted},
            {"optimizer": {"learning_rate": 0.6}},
        )
        *_, last = Optimization(recipe, make_drawer(recipe, tiny_vqgan), tiny_perceptor)
        picture = torch.from_numpy(last.picture.copy()).permute(2, 0, 1)[None] / 255
        with torch.no_grad():
            score = float(linear(tiny_perceptor.embed_images(picture)))
        return last.picture, score, last.losses

    (plain, *_), (picture, score, losses) = painted(), painted(aesthetics=100)
    assert set(losses) == {"prompts", "aesthetics"}
    assert losses["aesthetics"] == pytest.approx(100 * 0.02 * (score - 10) ** 2, rel=0.1)
    assert (picture != plain).any()
