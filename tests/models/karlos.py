"""A small UnCLIP with random weights, saved by diffusers as it is published: two repositories' folders."""

import json
from importlib import import_module
from pathlib import Path

import torch


def write_painting(folder: Path) -> Path:
    """What paints: prior, decoder, enlargers and the text tower."""
    from diffusers import (
        PriorTransformer,
        UnCLIPPipeline,
        UnCLIPScheduler,
        UNet2DConditionModel,
        UNet2DModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPTokenizer

    projection = import_module(f"{UnCLIPPipeline.__module__.rpartition('.')[0]}.text_proj")
    torch.manual_seed(0)
    words = folder.parent / "words"
    words.mkdir(parents=True)
    signs = ["<|startoftext|>", "<|endoftext|>", "!", *"abcdefghijklmnopqrstuvwxyz"]
    signs += [f"{sign}</w>" for sign in signs[2:]]
    (words / "vocab.json").write_text(json.dumps({sign: n for n, sign in enumerate(signs)}))
    (words / "merges.txt").write_text("#version: 0.2\n")
    (words / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 77}))
    enlarger = {
        "sample_size": 64,
        "layers_per_block": 1,
        "in_channels": 6,
        "out_channels": 3,
        "down_block_types": ("ResnetDownsampleBlock2D",) * 2,
        "up_block_types": ("ResnetUpsampleBlock2D",) * 2,
        "block_out_channels": (32, 64),
    }
    UnCLIPPipeline(
        prior=PriorTransformer(
            num_attention_heads=2, attention_head_dim=12, embedding_dim=32, num_layers=1
        ),
        decoder=UNet2DConditionModel(
            sample_size=32, in_channels=3, out_channels=6, layers_per_block=1, cross_attention_dim=100,
            down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
            up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
            mid_block_type="UNetMidBlock2DSimpleCrossAttn", block_out_channels=(32, 64), attention_head_dim=4,
            resnet_time_scale_shift="scale_shift", class_embed_type="identity",
        ),
        text_proj=projection.UnCLIPTextProjModel(
            clip_embeddings_dim=32, time_embed_dim=128, cross_attention_dim=100
        ),
        text_encoder=CLIPTextModelWithProjection(CLIPTextConfig(
            bos_token_id=0, eos_token_id=1, pad_token_id=1, vocab_size=len(signs), hidden_size=32,
            projection_dim=32, intermediate_size=37, num_attention_heads=4, num_hidden_layers=1,
        )),
        tokenizer=CLIPTokenizer.from_pretrained(words),
        super_res_first=UNet2DModel(**enlarger), super_res_last=UNet2DModel(**enlarger),
        prior_scheduler=UnCLIPScheduler(
            variance_type="fixed_small_log", prediction_type="sample", clip_sample_range=5.0
        ),
        decoder_scheduler=UnCLIPScheduler(variance_type="learned_range", prediction_type="epsilon"),
        super_res_scheduler=UnCLIPScheduler(variance_type="fixed_small_log", prediction_type="epsilon"),
    ).save_pretrained(folder)  # fmt: skip
    index = json.loads((folder / "model_index.json").read_text())
    index["text_proj"][0] = "unclip"  # as it is published
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def write_seeing(folder: Path) -> Path:
    """What reads pictures."""
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(1)
    CLIPVisionModelWithProjection(CLIPVisionConfig(
        hidden_size=32, projection_dim=32, num_hidden_layers=1, num_attention_heads=4, image_size=32,
        intermediate_size=37, patch_size=8,
    )).save_pretrained(folder / "image_encoder")  # fmt: skip
    CLIPImageProcessor(crop_size=32, size=32).save_pretrained(folder / "feature_extractor")
    return folder
