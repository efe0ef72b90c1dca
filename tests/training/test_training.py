"""Every training learns, saves, and goes on where it stopped; what it exports can be loaded."""

import json
from dataclasses import replace

import open_clip.model
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from pixgen.errors import TrainingError
from pixgen.models.checkpoints.safetensors import load_weights
from pixgen.models.sketchers.pocket import Sketcher
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.data.drawings import load_sprites
from pixgen.training.data.words import learn_vocabulary
from pixgen.training.export import (
    VOCABULARY,
    export_clip,
    export_sketcher,
    export_vqgan,
    save_reconstructions,
)
from pixgen.training.models.clip import (
    IMAGE_TOWER_ALONE,
    ClipTraining,
    DecodedPictures,
    same_meaning,
    save_decoded_pictures,
    train_clip,
)
from pixgen.training.models.sketcher import PictureBank, SketcherTraining, code_loss, train_sketcher
from pixgen.training.models.vqgan import VqganTraining, train_vqgan
from tests.conftest import TINY_CLIP, TINY_SKETCHER, TINY_VQGAN

CLIP = {
    **TINY_CLIP,
    "vision_cfg": {**TINY_CLIP["vision_cfg"], "image_size": 64},
    "text_cfg": {**TINY_CLIP["text_cfg"], "vocab_size": 600, "context_length": 24},
}


@pytest.fixture
def vocabulary(world):
    sampler = CompositionSampler(load_sprites(world)[1], seed=1)
    learn_vocabulary(sampler, world / VOCABULARY, size=600, captions=200)
    return world / VOCABULARY


def trained(world, vocabulary, steps: int, **options) -> dict:
    train_clip(CLIP, world, world / "clip", vocabulary, ClipTraining(steps, batch=48, **options))
    return torch.load(world / "clip" / "checkpoint.pt", weights_only=True)


def test_a_vocabulary_has_its_size_and_knows_its_words(vocabulary):
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer(str(vocabulary), context_length=24)
    assert tokenizer.vocab_size <= 600
    assert len(tokenizer.encode("lemon")) == 1
    assert tokenizer.decode(tokenizer.encode("a zebra: été")).strip() == "a zebra : été"


def test_clip_training_goes_on_where_it_stopped(world, vocabulary):
    assert trained(world, vocabulary, 2)["step"] == 2
    assert trained(world, vocabulary, 3, adversarial_from=2)["step"] == 3


def test_an_exported_clip_is_loaded_again(world, vocabulary):
    state = trained(world, vocabulary, 1)
    assets = world / "assets"
    export_clip(world / "clip" / "checkpoint.pt", vocabulary, assets, name="clip")
    model = open_clip.model.CLIP(**json.loads((assets / "clip.json").read_text())["model_cfg"])
    load_weights(model, assets / "clip.safetensors")
    assert torch.allclose(model.text_projection, state["average"]["text_projection"], atol=1e-3)


def test_the_eye_is_trained_on_decoded_pictures_and_the_words_stay(world, vocabulary, tiny_vqgan):
    trained(world, vocabulary, 1)
    export_clip(world / "clip" / "checkpoint.pt", vocabulary, world / "assets", name="clip")
    save_decoded_pictures(tiny_vqgan, world, world / "decoded.pt", count=16)
    train_clip(
        CLIP,
        world,
        world / "eye",
        vocabulary,
        replace(IMAGE_TOWER_ALONE, steps=2, batch=48),
        decoded=world / "decoded.pt",
        weights=world / "assets" / "clip.safetensors",
    )
    before = load_file(world / "assets" / "clip.safetensors")
    after = torch.load(world / "eye" / "checkpoint.pt", weights_only=True)["average"]
    moved = {name for name in before if not torch.equal(before[name].float(), after[name].float())}
    assert {name.split(".")[0] for name in moved} == {"visual"}


def test_as_much_of_a_batch_is_decoded_as_is_said(world, tiny_vqgan):
    save_decoded_pictures(tiny_vqgan, world, world / "decoded.pt", count=16)
    painted = DecodedPictures(world / "decoded.pt", seed=1, share=0.5)
    compositions = CompositionSampler(load_sprites(world)[1], seed=3).compositions(8)
    mixed, pictures = painted.mix_in(list(compositions), torch.full((8, 3, 128, 128), 2.0))
    assert mixed[:4] == compositions[:4]
    assert bool((pictures[:4] == 2).all())
    assert bool((pictures[4:] <= 1).all())
    known = set(painted.state["captions"])
    assert all(each.caption in known for each in mixed[4:])


def test_the_same_meaning_counts_as_right(world):
    first, second = CompositionSampler(load_sprites(world)[1], seed=3).compositions(2)
    targets = same_meaning([first, second, first])
    assert targets[0].tolist() == [0.5, 0.0, 0.5]
    assert targets[1].tolist() == [0.0, 1.0, 0.0]


def test_vqgan_training_passes_through_all_its_parts(world):
    training = VqganTraining(
        6,
        codes_from=1,
        crisp_from=2,
        whole_from=3,
        frozen_from=4,
        batch=8,
        entropy_share=0.5,
        spike_weight=1.0,
    )
    train_vqgan(TINY_VQGAN, world, world / "vqgan", training, clip=lambda: open_clip.model.CLIP(**CLIP))
    state = torch.load(world / "vqgan" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 6
    for name, weights in state["average"].items():
        if name.startswith(("encoder.", "quant_conv.")):
            assert torch.equal(weights, state["model"][name])
    export_vqgan(world / "vqgan" / "checkpoint.pt", world)
    model = Vqgan(json.loads((world / "vqgan.json").read_text())["model"])
    load_weights(model, world / "vqgan.safetensors")
    save_reconstructions(model.eval(), world, world / "sheet.png", rows=1)
    with Image.open(world / "sheet.png") as sheet:
        assert sheet.size == (8 * 128, 2 * 128)
    save_decoded_pictures(model.eval(), world, world / "decoded.pt", count=16)
    assert torch.load(world / "decoded.pt", weights_only=True)["pictures"].shape == (
        16,
        3,
        128,
        128,
    )


def test_sketcher_training_goes_on_where_it_stopped(world, tiny_vqgan, tiny_perceptor):
    def trained(steps: int) -> dict:
        training = SketcherTraining(steps, batch=6, fresh=2, held_out=16)
        train_sketcher(
            {**TINY_SKETCHER, "grid": 32},
            world,
            world / "sketcher",
            training,
            vqgan=tiny_vqgan,
            clip=tiny_perceptor,
        )
        return torch.load(world / "sketcher" / "checkpoint.pt", weights_only=True)

    assert trained(1)["step"] == 1
    state = trained(2)
    assert state["step"] == 2
    assert torch.equal(state["average"]["codebook"], tiny_vqgan.codebook)
    export_sketcher(world / "sketcher" / "checkpoint.pt", world)
    model = Sketcher(json.loads((world / "sketcher.json").read_text())["model"])
    load_weights(model, world / "sketcher.safetensors")


def test_a_bank_in_a_plain_hand_has_as_many_pictures_as_captions(world, tiny_vqgan, tiny_perceptor):
    bank = PictureBank(world, tiny_vqgan, tiny_perceptor, places=8, seed=3, canonical_share=1.0)
    bank.add(5)
    assert len(bank.captions) == len(bank.codes) == 5


def test_a_gradient_in_parts_is_that_of_the_whole(tiny_sketcher):
    codes = torch.randint(32, (2, 8, 8), generator=torch.Generator().manual_seed(0))
    features = torch.randn(2, 16, 4, 32, requires_grad=True)
    loss, slope = code_loss(tiny_sketcher, features, codes, backward=True, rows=50)
    logits = tiny_sketcher.head.out(features).flatten(0, 2)
    whole = torch.nn.functional.cross_entropy(logits, tiny_sketcher.code_blocks(codes).flatten())
    whole.backward()
    assert torch.allclose(loss, whole.detach(), atol=1e-5)
    assert torch.allclose(slope, features.grad, atol=1e-6)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(TrainingError, match="train the model first"):
        export_vqgan(tmp_path / "checkpoint.pt", tmp_path)


def test_a_decoder_is_trained_on_crops_and_plain_colours(world):
    training = VqganTraining(
        2, codes_from=-1, crisp_from=9, whole_from=0, frozen_from=0, batch=16,
        smallest_crop=2, flat_share=0.25, tone_weight=1.0,
    )  # fmt: skip
    train_vqgan(TINY_VQGAN, world, world / "decoder", training, clip=lambda: open_clip.model.CLIP(**CLIP))
    state = torch.load(world / "decoder" / "checkpoint.pt", weights_only=True)
    assert state["step"] == 2
    export_vqgan(world / "decoder" / "checkpoint.pt", world, name="vqgan-2")
    assert (world / "vqgan-2.safetensors").exists()
