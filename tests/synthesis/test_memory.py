"""Too little memory in the middle: less at once, and on from where it was."""

import numpy as np
import pytest
import torch

from pixgen.errors import OutOfMemory
from pixgen.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer


class Short(torch.nn.Module):
    """A perceptor that has room for a few cutouts at once, from its second look on."""

    def __init__(self, perceptor, *, room: int) -> None:
        super().__init__()
        self.perceptor, self.room, self.looks = perceptor, room, 0
        self.size, self.embed_texts = perceptor.size, perceptor.embed_texts

    def embed_images(self, pictures):
        self.looks += 1
        if self.looks > 1 and len(pictures) > self.room:
            raise torch.OutOfMemoryError("out of memory (injected)")
        return self.perceptor.embed_images(pictures)


@pytest.fixture
def wanted():
    return make_recipe(
        {"prompts": "a red fox", "width": 32, "height": 32, "steps": 3, "seed": 3},
        {"cutouts": {"kind": "crowson", "count": 6}},  # no chance but the places
    )


def test_cutouts_are_looked_at_in_smaller_batches_and_the_picture_stays(
    wanted, tiny_vqgan, tiny_perceptor
):
    whole = list(Optimization(wanted, make_drawer(wanted, tiny_vqgan), tiny_perceptor))
    short = Optimization(wanted, make_drawer(wanted, tiny_vqgan), Short(tiny_perceptor, room=2))
    frames = list(short)
    assert [frame.step for frame in frames] == [0, 1, 2, 3]
    assert [frame.notice != "" for frame in frames] == [False, True, False, False]
    assert "4 batches" in frames[1].notice
    assert short.recipe.cutouts.batches == 4
    for frame, other in zip(frames, whole, strict=True):
        assert np.abs(frame.picture.astype(int) - other.picture.astype(int)).max() <= 2


def test_when_nothing_helps_the_advice_comes_and_the_next_run_works(
    wanted, tiny_vqgan, tiny_perceptor
):
    stuck = Optimization(wanted, make_drawer(wanted, tiny_vqgan), Short(tiny_perceptor, room=0))
    next(stuck)
    with pytest.raises(OutOfMemory, match="a smaller size than 32×32"):
        next(stuck)
    assert len(list(Optimization(wanted, make_drawer(wanted, tiny_vqgan), tiny_perceptor))) == 4
