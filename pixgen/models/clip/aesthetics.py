"""LAION's aesthetic predictor: estimates from CLIP's image vectors how people rate a picture.

Source: github.com/LAION-AI/aesthetic-predictor, one head for each of three of OpenAI's CLIPs.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F

from pixgen.errors import ModelError
from pixgen.models.cache import cache_folder
from pixgen.models.checkpoints.reading import read_weights
from pixgen.models.clip.perceptor import Perceptor, Perceptors

HEADS = {
    "ViT-B-32/openai": "sa_0_4_vit_b_32_linear.pth",
    "ViT-B-16/openai": "sa_0_4_vit_b_16_linear.pth",
    "ViT-L-14/openai": "sa_0_4_vit_l_14_linear.pth",
}
_HOME = "https://github.com/LAION-AI/aesthetic-predictor"


class AestheticPredictor:
    """A linear head over CLIP vectors; scores are from about 1 to 10.

    Args:
        weight: ``(D,)``, for one CLIP's unit vectors.
        bias: a scalar.
        columns: which columns of a perceptor's vectors are that CLIP's.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, *, columns: slice) -> None:
        self.weight, self.bias, self.columns = weight, bias, columns

    def scores(self, vectors: torch.Tensor) -> torch.Tensor:
        """A score ``(N,)`` for each of a perceptor's vectors ``(N, D)``."""
        return F.normalize(vectors[:, self.columns], dim=-1) @ self.weight + self.bias


def head_file(clip: str) -> Path:
    """The path of the head's file for a CLIP."""
    return cache_folder() / "models" / HEADS[clip]


def load_aesthetic_predictor(perceptor: Perceptor | Perceptors, names: Sequence[str]) -> AestheticPredictor:
    """The aesthetic predictor for the first of a perceptor's CLIPs, named in order by ``names``, that has one.

    Raises ModelError if none has one, or its file is missing, broken, or does not fit.
    """
    clip = next((name for name in names if name in HEADS), None)
    if clip is None:
        raise ModelError(
            "The aesthetic score needs one of these CLIPs: {choices}. Add it to the guidance models.",
            choices=", ".join(HEADS),
        )
    file = head_file(clip)
    if not file.is_file():
        raise ModelError(
            "The aesthetic score needs the file {name}: download it from {home} and save it as {file}.",
            name=file.name,
            home=_HOME,
            file=file,
        )
    members = list(getattr(perceptor, "members", [perceptor]))
    with torch.no_grad():
        widths = [member.embed_texts(["a picture"]).shape[1] for member in members]
    index = list(names).index(clip)
    start, width = sum(widths[:index]), widths[index]
    weights = read_weights(file)
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if shapes != {"weight": (1, width), "bias": (1,)}:
        raise ModelError(
            "The file {name} does not fit {clip}: download it again from {home}.",
            name=file.name,
            clip=clip,
            home=_HOME,
        )
    device = perceptor.device
    return AestheticPredictor(
        weights["weight"][0].float().to(device),
        weights["bias"][0].float().to(device),
        columns=slice(start, start + width),
    )
