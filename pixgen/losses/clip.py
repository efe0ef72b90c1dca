"""Losses of CLIP's vectors of the cutouts: no lettering, and a higher aesthetic score."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

from pixgen.losses.base import Compute, GivenClip, Loss, loss_weight

if TYPE_CHECKING:
    import torch

_LETTERING = ("text", "letters", "words", "writing", "a sign with text", "a book page")
_PICTURES = ("a picture", "a drawing", "a painting")


def anti_text_loss(vectors: "torch.Tensor", direction: "torch.Tensor") -> "torch.Tensor":
    """How far CLIP vectors ``(N, D)`` lean towards lettering ``(D,)``; 0 where they lean away.

    Source of the idea: pixray's "textoff", a direction in CLIP's space.
    """
    return (vectors @ direction).relu().mean()


def lettering(given: GivenClip) -> "torch.Tensor":
    """The direction in CLIP's space from pictures to pictures of lettering, ``(D,)``, a unit vector."""
    import torch
    import torch.nn.functional as F

    with torch.no_grad():
        towards, away = (given.embed_texts(words).mean(0) for words in (_LETTERING, _PICTURES))
        return F.normalize(towards - away, dim=-1)


def aesthetic_loss(scores: "torch.Tensor") -> "torch.Tensor":
    """How far aesthetic scores ``(N,)``, from about 1 to 10, are from the best.

    Source of the constants: github.com/pixray/pixray.
    """
    return 0.02 * (scores - 10).square().mean()


def _aesthetics(own: float, given: GivenClip) -> Compute:
    scores = given.aesthetic_scores()
    return lambda vectors: aesthetic_loss(scores(vectors))


AntiText = Annotated[
    float,
    loss_weight("No lettering", hint="0.1 to 1"),
    Loss(lambda own, given: partial(anti_text_loss, direction=lettering(given)), of="vectors"),
]
Aesthetics = Annotated[
    float,
    loss_weight(
        "Aesthetic score",
        "Needs one of OpenAI's CLIPs, such as ViT-B-32/openai, as guidance model, and LAION's file for it.",
        hint="0.2 to 2",
    ),
    Loss(_aesthetics, of="vectors"),
]
