"""Time pixgen's own code beside kornia's function for the same, forward and backward, in turns in one process.

It says where own code is worth having: a line whose ratio is about 1 would be kornia's.
"""

from collections.abc import Callable, Mapping
from functools import partial
from operator import truediv
from statistics import median
from time import perf_counter
from typing import Any

import kornia.losses
import torch
from kornia.augmentation import RandomPerspective

from pixgen.losses.texture import total_variation_loss
from pixgen.recipe.kornia_classes import unchecked_kornia
from pixgen.synthesis.cutouts.augmentations import apply_changes, fused_change
from pixgen.synthesis.cutouts.cutouts import Placement, sample_cutouts
from pixgen.synthesis.cutouts.kornia_pipeline import fused_matrices, sample_parameters

_WARM_UP = 2
_CHANGES = {
    "ColorJitter": {"brightness": 0.05, "contrast": 0.05, "saturation": 0.1, "hue": 0.02},
    "RandomSharpness": {"sharpness": 0.3},
    "RandomErasing": {"scale": (0.1, 0.4)},
}

Pair = tuple[Callable[[torch.Tensor], torch.Tensor], Callable[[torch.Tensor], torch.Tensor], torch.Tensor]


def kornia_functions(*, rounds: int, cutouts: int = 12, size: int = 64) -> dict[str, Any]:
    """For each function the median times in milliseconds, own and kornia's, and kornia's over own.

    Args:
        rounds: how often each is timed.
        cutouts, size: how many pictures the augmentations change, and their side in pixels.
    """
    generator = torch.Generator().manual_seed(0)
    found = {}
    for name, (own, theirs, pictures) in _pairs(cutouts, size, generator).items():
        times = [(_seconds(own, pictures), _seconds(theirs, pictures)) for _ in range(_WARM_UP + rounds)]
        owns, kornias = zip(*times[_WARM_UP:], strict=True)
        found[name] = {
            "own_ms": round(1000 * median(owns), 3),
            "kornia_ms": round(1000 * median(kornias), 3),
            "kornia_to_own": round(median(map(truediv, kornias, owns)), 2),
        }
    return {"cutouts": cutouts, "size": size, "threads": torch.get_num_threads(), "functions": found}


def text(figures: Mapping[str, Any]) -> str:
    """The figures of ``kornia_functions`` for a person."""
    lines = [f"{figures['cutouts']} cutouts of {figures['size']} pixels, {figures['threads']} threads"]
    lines += [
        f"{name:>20}   own {each['own_ms']:8.2f} ms   kornia {each['kornia_ms']:8.2f} ms   "
        f"{each['kornia_to_own']:.2f} times as long"
        for name, each in figures["functions"].items()
    ]
    return "\n".join(lines)


def _pairs(count: int, size: int, generator: torch.Generator) -> dict[str, Pair]:
    """Own and kornia's function by name, with what both are given."""
    whole = torch.rand(1, 3, 256, 256, generator=generator)
    pictures = torch.rand(count, 3, size, size, generator=generator)
    pairs: dict[str, Pair] = {
        "total variation": (
            total_variation_loss,
            lambda picture: kornia.losses.total_variation(picture, reduction="mean").sum(),
            whole,
        )
    }
    for name, args in _CHANGES.items():
        member = unchecked_kornia(name, **args, p=1.0)
        params = sample_parameters(member, count, size=size, seed=0)
        change = fused_change(member, params, size=size, noise=generator)
        pairs[name] = (
            partial(apply_changes, changes=[change]),
            partial(member.build(), params=params),
            pictures,
        )
    member = unchecked_kornia("RandomPerspective", distortion_scale=0.2, p=1.0)
    params = sample_parameters(member, count, size=size, seed=0)
    placement = Placement(fused_matrices(member, params, size=size), ("border",) * count)
    module = RandomPerspective(distortion_scale=0.2, p=1.0)
    picture = torch.rand(1, 3, size, size, generator=generator)
    pairs["RandomPerspective"] = (
        partial(sample_cutouts, placement=placement, size=size),
        lambda one: module(one.expand(count, 3, size, size), params=params),
        picture,
    )
    return pairs


def _seconds(function: Callable[[torch.Tensor], torch.Tensor], pictures: torch.Tensor) -> float:
    """How long a call and its backward pass take."""
    given = pictures.clone().requires_grad_()
    begun = perf_counter()
    function(given).sum().backward()
    return perf_counter() - begun
