"""A recipe's wishes beside its prompts, as functions of the picture and its latent; what is off costs
nothing."""

from collections.abc import Callable, Mapping
from functools import partial

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.losses import Losses, Palette, rgb
from pixgen.models.aesthetics import load_taste
from pixgen.models.clip import Perceptor, Perceptors
from pixgen.recipe import Recipe
from pixgen.synthesis import picture_losses as wanted
from pixgen.synthesis.colours import main_colours
from pixgen.synthesis.starts import as_tensor

Opinion = Callable[[torch.Tensor], torch.Tensor]  # of CLIP vectors (N, D), a scalar
_COLOURS_OF_A_PICTURE = 16
_LETTERING = ("text", "letters", "words", "writing", "a sign with text", "a book page")
_PICTURES = ("a picture", "a drawing", "a painting")


class Wishes:
    """The losses of pictures that a recipe asks for.

    Args:
        pictures: every path that the losses name, with its opened picture.
    """

    def __init__(
        self, losses: Losses, *, pictures: Mapping[str, Image.Image], device: torch.device
    ) -> None:
        self.losses = losses
        self._found: list[tuple[str, float, Callable[[torch.Tensor], torch.Tensor]]] = []
        self._add("total_variation", losses.total_variation, wanted.total_variation_loss)
        self._add("saturation", losses.saturation, wanted.saturation_loss)
        self._add("tiling", losses.tiling, wanted.tiling_loss)
        smooth, symmetry, edge = losses.smoothness, losses.symmetry, losses.edge
        self._add("smoothness", smooth.weight, partial(wanted.smoothness_loss, kind=smooth.kind))
        self._add("symmetry", symmetry.weight, partial(wanted.symmetry_loss, kind=symmetry.kind))
        self._add(
            "edge", edge.weight,
            partial(wanted.edge_loss, colour=rgb(edge.colour), margin=edge.margin),
        )  # fmt: skip
        if losses.palette.weight:
            colours = _colours(losses.palette, pictures).to(device)
            self._add(
                "palette", losses.palette.weight, partial(wanted.palette_loss, colours=colours)
            )
        if losses.style.weight:
            picture = as_tensor(pictures[losses.style.picture]).to(device)
            self._add("style", losses.style.weight, wanted.StyleStatistics(picture).loss)

    def of_picture(self, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        """The weighted losses of a picture ``(1, 3, H, W)`` by name."""
        return {name: weight * loss(picture) for name, weight, loss in self._found}

    def of_latent(self, latent: torch.Tensor, start: torch.Tensor) -> dict[str, torch.Tensor]:
        """The weighted losses of a latent that began at ``start``, by name."""
        start_latent, latent_decay, found = self.losses.start_latent, self.losses.latent_decay, {}
        if start_latent:
            found["start_latent"] = start_latent * (latent - start).square().mean()
        if latent_decay:
            found["latent_decay"] = latent_decay * latent.square().mean()
        return found

    def _add(self, name: str, weight: float, loss: Callable[[torch.Tensor], torch.Tensor]) -> None:
        if weight:
            self._found.append((name, weight, loss))


def opinions(recipe: Recipe, perceptor: Perceptor | Perceptors) -> dict[str, Opinion]:
    """The weighted losses of what CLIP sees that a recipe asks for beside its prompts, by name. Raises
    ModelError if what one of them needs is not there."""
    losses, found = recipe.losses, {}
    if losses.anti_text:
        direction = lettering(perceptor)
        found["anti_text"] = lambda vectors: (
            losses.anti_text * wanted.anti_text_loss(vectors, direction)
        )
    if losses.aesthetics:
        taste = load_taste(perceptor, recipe.clip_names)
        found["aesthetics"] = lambda vectors: (
            losses.aesthetics * wanted.aesthetic_loss(taste.scores(vectors))
        )
    return found


@torch.no_grad()
def lettering(perceptor: Perceptor | Perceptors) -> torch.Tensor:
    """The direction in CLIP's space from pictures to pictures of lettering, ``(D,)``, a unit vector."""
    towards, away = (
        perceptor.embed_texts(list(words)).mean(0) for words in (_LETTERING, _PICTURES)
    )
    return F.normalize(towards - away, dim=-1)


def _colours(palette: Palette, pictures: Mapping[str, Image.Image]) -> torch.Tensor:
    """The colours of a palette, ``(N, 3)``."""
    given = [torch.tensor([rgb(colour) for colour in palette.colours])] if palette.colours else []
    if palette.picture:
        small = pictures[palette.picture].convert("RGB")
        small.thumbnail((128, 128))
        given.append(main_colours(as_tensor(small), count=_COLOURS_OF_A_PICTURE))
    return torch.cat(given)
