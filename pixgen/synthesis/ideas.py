"""Ideas: CLIP vectors of pictures and words, added up by weight, for the sketcher to draw.

``[photo.jpg]`` is the idea of a picture, so that sketches of it are its variations; ``[a.png] | [b.png]``
lies between two; ``[photo.jpg] | winter | summer:-1`` is the picture with a difference of words
(DALL-E 2, arXiv 2204.06125, sections 3.1 to 3.3).
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from PIL import Image

from pixgen.errors import RecipeError
from pixgen.models.clip import Perceptor
from pixgen.models.sketcher import Prior
from pixgen.prompts import Prompt
from pixgen.synthesis.starts import as_tensor


@torch.no_grad()
def idea_vector(
    terms: Sequence[Prompt], *, reader: Perceptor, prior: Prior, pictures: Mapping[str, Image.Image]
) -> torch.Tensor:
    """The unit vector ``(1, D)`` of an idea, where pictures' vectors lie.

    Texts go through the prior. Raises RecipeError if the terms cancel each other.
    """
    total = torch.zeros(1, device=reader.device)
    for term in terms:
        if term.picture:
            vector = reader.embed_images(as_tensor(pictures[term.picture]).to(reader.device))
        else:
            vector = prior(reader.embed_texts([term.text]))
        total = total + term.weight * vector
    if float(total.norm()) < 1e-3:
        raise RecipeError(
            "Nothing is left of this idea: its parts cancel each other. Change a weight."
        )
    return F.normalize(total, dim=-1)
