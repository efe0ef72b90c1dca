"""Configurations of the bundled models: built like the full-size ones, small enough to be bundled."""

VOCABULARY_SIZE = 4096
TEXT = {"context_length": 40, "vocab_size": VOCABULARY_SIZE, "width": 192, "heads": 3, "layers": 2}

# taming's decoder with few channels, and therefore fewer groups: with its 32, each of 32 channels is
# normalised alone, the picture's own colours are lost, and a bright spot in a corner must carry them.
# The low width of the codes keeps all of them in use (arXiv 2110.04627).
VQGAN = {
    "target": "taming.models.vqgan.VQModel",
    "params": {
        "embed_dim": 32,
        "n_embed": 4096,
        "norm_groups": 8,
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

# Writes four codes a pass. A text's words are read as the CLIP's text tower reads them.
SKETCHER = {
    "vqgan": "pocket", "clip": "pocket", "grid": 16, "codes": VQGAN["params"]["n_embed"], "code_width": VQGAN["params"]["embed_dim"],
    "width": 256, "depth": 8, "heads": 4, "places": 20,
    "text_width": TEXT["width"], "vector_width": CLIP["embed_dim"],
    "vocabulary": VOCABULARY_SIZE, "memory": 12,
}  # fmt: skip

# Doubles what the VQGAN has decoded.
ENLARGER = {"width": 40, "depth": 6}

# The judge shares neither tower nor seed with what it judges.
JUDGE = {
    "embed_dim": 192,
    "vision_cfg": {
        "image_size": 64,
        "timm_model_name": "regnetx_004_tv",
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
    },
    "text_cfg": {**TEXT, "width": 128, "heads": 2},
}
