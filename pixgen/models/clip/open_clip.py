"""Find and load any model of open_clip by name: model, tokenizer and preprocessing.

``ViT-B-32/laion2b_s34b_b79k`` is an architecture with the tag of its weights, ``hf-hub:org/name`` a
repository, ``local-dir:PATH`` a folder with ``open_clip_config.json`` and weights.
"""

import re
import warnings
from collections.abc import Mapping
from typing import Any

import open_clip
import torch.nn as nn

from pixgen.errors import ModelError
from pixgen.models.catalog import Entry, find_entry, get_entry
from pixgen.models.checkpoints.reading import is_torchscript
from pixgen.models.clip import files
from pixgen.models.clip.custom import find_custom_clip
from pixgen.models.clip.custom_models import load_custom_clip
from pixgen.paths import LOCAL

HUB = "hf-hub:"
_PREFIXES = (HUB, LOCAL)
_OPENAI = re.compile(r"RN(50|101|50x4|50x16|50x64)|ViT-(B/32|B/16|L/14(@336px)?)")  # its own names
_PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")


def is_open_clip(name: str) -> bool:
    """Whether a name is one of open_clip's; names of the catalog without a slash are not."""
    return name.startswith(_PREFIXES) or "/" in name


def find_clip(name: str) -> Entry:
    """A CLIP by its name in the catalog, in ``PIXGEN_MODELS_DIR``, in open_clip or at OpenAI (``ViT-B/32``), or by
    its path.

    Raises ModelError, which lists the names or says what is missing.
    """
    if (entry := find_entry(name, "clip") or find_custom_clip(name)) is not None:
        return entry
    if _OPENAI.fullmatch(name):
        name = name.replace("/", "-").replace("@336px", "-336") + "/openai"
        return find_entry(name, "clip") or open_clip_entry(name)
    return open_clip_entry(name) if is_open_clip(name) else get_entry(name, "clip")


def open_clip_names() -> list[str]:
    """Every architecture with every tag that open_clip lists."""
    return ["/".join(pair) for pair in open_clip.list_pretrained()]


def open_clip_entry(name: str) -> Entry:
    """The entry of a model outside the catalog. Raises ModelError if open_clip does not know the name."""
    if name.startswith(HUB):
        source = f"hub:{name.removeprefix(HUB)}"
    else:
        source = f"hub:{_pretrained_tag(name)[1]['hf_hub'].removesuffix('/')}"
    return Entry(
        name=name,
        kind="clip",
        paints="",
        licence="see its home",
        open_clip=name,
        sources=(source,),
        home=source.replace("hub:", "https://huggingface.co/"),
    )


def load_open_clip(entry: Entry) -> tuple[nn.Module, Any, dict[str, Any]]:
    """The model in float32, its tokenizer, and ``size``, ``mean`` and ``std`` of its pictures.

    Raises ModelError if the weights cannot be downloaded or read.
    """
    if entry.stamp:
        return load_custom_clip(entry)
    name, how = entry.open_clip, {}
    architecture = name
    weights = files.fetch(entry)
    if is_torchscript(weights):  # OpenAI's archive, put into the cache by hand
        return load_custom_clip(find_custom_clip(str(weights)))
    if entry.form:  # only the weights are downloaded
        architecture, how = entry.form, {"pretrained": str(weights)}
    elif not name.startswith(_PREFIXES):
        architecture, facts = _pretrained_tag(name)
        # OpenAI's weights need QuickGELU, which only the tag says.
        how = {
            "pretrained": str(weights),
            "force_quick_gelu": facts.get("quick_gelu", False),
            "force_preprocess_cfg": {each: facts[each] for each in _PREPROCESSING if each in facts},
        }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = open_clip.create_model(architecture, precision="fp32", require_pretrained=True, **how)
            tokenizer = open_clip.get_tokenizer(architecture)
    except Exception as error:  # of many libraries: a network, a file or a format
        raise ModelError(
            "The model “{name}” cannot be loaded ({reason}): check its name and your network connection, "
            "or choose pocket, which needs no download.",
            name=name[:80],
            reason=str(error).splitlines()[0][:160],
        ) from error
    preprocessing = model.visual.preprocess_cfg
    size = preprocessing["size"] if isinstance(preprocessing["size"], int) else preprocessing["size"][0]
    return model, tokenizer, {"size": size, "mean": preprocessing["mean"], "std": preprocessing["std"]}


def _pretrained_tag(name: str) -> tuple[str, Mapping[str, Any]]:
    """The architecture in a name, and open_clip's config of its weights. Raises ModelError."""
    architecture, _, tag = name.partition("/")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if not tags:
        raise ModelError(
            "open_clip has no model “{architecture}” with weights: write for example "
            "ViT-B-32/laion2b_s34b_b79k.",
            architecture=architecture[:60],
        )
    if tag not in tags:
        raise ModelError(
            "{architecture} has no weights “{tag}”: choose {choices}.",
            architecture=architecture,
            tag=tag[:60],
            choices=", ".join(tags),
        )
    return architecture, open_clip.get_pretrained_cfg(architecture, tag)
