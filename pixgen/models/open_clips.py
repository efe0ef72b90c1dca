"""Any model that open_clip knows, by name: its parts, for a perceptor.

``ViT-B-32/laion2b_s34b_b79k`` is an architecture with the tag of its weights, ``hf-hub:org/name`` a
repository, ``local-dir:PATH`` a folder with ``open_clip_config.json`` and weights. open_clip fetches
what is missing through huggingface_hub, which verifies it and goes on where a download broke.
"""

import warnings
from typing import Any

import open_clip
import torch.nn as nn

from pixgen.errors import ModelError

_SCHEMAS = ("hf-hub:", "local-dir:")


def is_open_clip(name: str) -> bool:
    """Whether a name is of this kind; the catalog's names are not."""
    return name.startswith(_SCHEMAS) or "/" in name


def read_open_clip(name: str) -> tuple[nn.Module, Any, dict[str, Any]]:
    """The model in float32, its tokenizer, and ``size``, ``mean`` and ``std`` of its pictures.

    Raises ModelError if the name is not known, or the weights cannot be fetched or read.
    """
    architecture, tag = (name, None) if name.startswith(_SCHEMAS) else _known(name)
    # OpenAI's weights were trained with another activation, which open_clip only warns about.
    quick = tag is not None and open_clip.get_pretrained_cfg(architecture, tag).get(
        "quick_gelu", False
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = open_clip.create_model(
                architecture,
                pretrained=tag,
                precision="fp32",
                force_quick_gelu=quick,
                require_pretrained=True,
            )
            tokenizer = open_clip.get_tokenizer(architecture)
    except Exception as error:  # of many libraries: a network, a file or a format
        raise ModelError(
            f"The model “{name[:80]}” cannot be loaded ({str(error).splitlines()[0][:160]}): check its name "
            "and the network, or choose pocket, which needs none."
        ) from error
    shown = model.visual.preprocess_cfg
    size = shown["size"] if isinstance(shown["size"], int) else shown["size"][0]
    return model, tokenizer, {"size": size, "mean": shown["mean"], "std": shown["std"]}


def _known(name: str) -> tuple[str, str]:
    """The architecture and the tag in a name."""
    architecture, _, tag = name.partition("/")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if not tags:
        raise ModelError(
            f"open_clip has no model “{architecture[:60]}” with weights: write for example "
            "ViT-B-32/laion2b_s34b_b79k."
        )
    if tag not in tags:
        raise ModelError(f"{architecture} has no weights “{tag[:60]}”: choose {', '.join(tags)}.")
    return architecture, tag
