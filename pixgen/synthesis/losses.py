"""Losses of a step: how far the picture is from its prompts, and the other losses that a recipe asks for.

Losses that a recipe leaves at 0 are not computed.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce

import torch
from PIL import Image

from pixgen.losses import Compute, Losses
from pixgen.models.clip.aesthetics import load_aesthetic_predictor
from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.recipe.recipe import Recipe
from pixgen.synthesis.colours import main_colours
from pixgen.synthesis.gradients import replace_grad
from pixgen.synthesis.tensors import to_tensor

LossValues = dict[str, torch.Tensor]  # scalars by name
_SIDE_FOR_COLOURS = 128


def spherical_dist_loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The squared great-circle distance of unit vectors, times two, ``(N, D), (P, D) -> (N, P)``.

    0 when they are one, about 0.8 at a cosine of 0.3, 1.23 at a right angle. Source: Crowson's
    VQGAN+CLIP (arXiv 2204.08583).
    """
    cosine = x @ y.T
    # The chord's length without the difference of all pairs; the floor keeps its root's slope finite.
    chord = (2 - 2 * cosine).clamp(min=1e-6).sqrt()
    return 2 * (chord / 2).clamp(max=1 - 1e-6).arcsin().square()


def prompt_loss(
    distances: torch.Tensor, *, weights: torch.Tensor, stops: torch.Tensor, shares: torch.Tensor
) -> torch.Tensor:
    """The weighted loss of P prompts over N cutouts, a scalar.

    Args:
        distances: from ``spherical_dist_loss``, ``(N, P)``.
        weights: of the prompts, ``(P,)``; negative ones push away. Their sum of magnitudes does not
            matter: it is divided out, so that other losses keep their strength.
        stops: the signed distance below which a prompt no longer pulls, ``(P,)``.
        shares: how much each cutout counts for each prompt, ``(N, P)``, mean 1 a prompt.
    """
    signed = distances * weights.sign()
    held = replace_grad(signed, torch.maximum(signed, stops))
    return (held * shares * weights.abs()).mean(0).sum() / weights.abs().sum().clamp(min=1e-9)


def sum_losses(losses: LossValues) -> torch.Tensor:
    """The sum of at least one loss, a scalar."""
    return reduce(torch.add, losses.values())


class LossPictures:
    """The pictures that a recipe names, for losses that compare with them.

    Args:
        pictures: every path that the losses name, with its opened picture.
    """

    def __init__(self, pictures: Mapping[str, Image.Image], device: torch.device) -> None:
        self._pictures, self.device = pictures, device

    def picture(self, path: str) -> torch.Tensor:
        """An opened picture, ``(1, 3, H, W)`` in [0, 1]."""
        return to_tensor(self._pictures[path]).to(self.device)

    def main_colours(self, path: str, *, count: int) -> torch.Tensor:
        """The main colours ``(count, 3)`` of a picture."""
        small = self._pictures[path].convert("RGB")
        small.thumbnail((_SIDE_FOR_COLOURS, _SIDE_FOR_COLOURS))
        return main_colours(to_tensor(small), count=count)


class LossPerceptor:
    """The run's CLIPs, in the order of ``names``, for losses of their vectors."""

    def __init__(self, perceptor: Perceptor | Perceptors, names: Sequence[str]) -> None:
        self._perceptor, self._names = perceptor, names

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """Unit vectors of texts, ``(N, D)``."""
        return self._perceptor.embed_texts(list(texts))

    def aesthetic_scores(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """The aesthetic predictor for vectors ``(N, D)``. Raises ModelError if its file is missing."""
        return load_aesthetic_predictor(self._perceptor, self._names).scores


class ImageLosses:
    """A recipe's losses of the whole picture and of the latent.

    Args:
        pictures: every path that the losses name, with its opened picture.
    """

    def __init__(self, losses: Losses, *, pictures: Mapping[str, Image.Image], device: torch.device) -> None:
        given = LossPictures(pictures, device)
        self._of_picture = list(losses.prepare("picture", given))
        self._of_start = list(losses.prepare("picture and start", given))
        self._of_latent = list(losses.prepare("latent and start", given))

    def of_picture(self, picture: torch.Tensor, start: torch.Tensor | None) -> LossValues:
        """The weighted losses of a picture ``(1, 3, H, W)`` by name; ``start`` is the initial picture, where
        a loss needs it."""
        found = {name: weight * loss(picture) for name, weight, loss in self._of_picture}
        return found | {name: weight * loss(picture, start) for name, weight, loss in self._of_start}

    def of_latent(self, latent: torch.Tensor, start: torch.Tensor) -> LossValues:
        """The weighted losses of a latent by name; ``start`` is its initial value."""
        return {name: weight * loss(latent, start) for name, weight, loss in self._of_latent}


def clip_losses(recipe: Recipe, perceptor: Perceptor | Perceptors) -> dict[str, Compute]:
    """A recipe's weighted losses of CLIP's vectors ``(N, D)``, by name. Raises ModelError if a file that one
    of them needs is missing."""
    given = LossPerceptor(perceptor, recipe.clip_names)
    return {
        name: partial(_weighted, weight, loss)
        for name, weight, loss in recipe.losses.prepare("vectors", given)
    }


def _weighted(weight: float, loss: Compute, vectors: torch.Tensor) -> torch.Tensor:
    return weight * loss(vectors)
