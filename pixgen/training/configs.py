"""The pocket models: small enough to be bundled, built like the full-size ones."""

VOCABULARY_SIZE = 4096
TEXT = {"context_length": 40, "vocab_size": VOCABULARY_SIZE, "width": 192, "heads": 3, "layers": 2}

# taming's decoder with the fewest channels that its group norms allow. The low width of the codes
# keeps all of them in use (arXiv 2110.04627).
VQGAN = {
    "target": "taming.models.vqgan.VQModel",
    "params": {
        "embed_dim": 32,
        "n_embed": 2048,
        "ddconfig": {
            "double_z": False, "z_channels": 64, "resolution": 128, "in_channels": 3, "out_ch": 3,
            "ch": 32, "ch_mult": [1, 1, 2, 4], "num_res_blocks": 1, "attn_resolutions": [],
            "dropout": 0.0,
        },
    },
}  # fmt: skip

# CLIP's own convolutional tower, in small: anti-aliased strides give smooth gradients.
CLIP = {
    "embed_dim": 256,
    "vision_cfg": {"image_size": 64, "layers": [2, 2, 2, 2], "width": 32, "head_width": 64},
    "text_cfg": TEXT,
}

# The judge shares neither tower nor seed with what it judges.
JUDGE = {
    "embed_dim": 192,
    "vision_cfg": {
        "image_size": 64, "timm_model_name": "regnetx_004_tv", "timm_model_pretrained": False,
        "timm_pool": "avg", "timm_proj": "linear",
    },
    "text_cfg": {**TEXT, "width": 128, "heads": 2},
}  # fmt: skip
