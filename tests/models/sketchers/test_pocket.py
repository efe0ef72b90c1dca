"""The sketcher: what it is told, and that writing with a cache is what it was trained for."""

import pytest
import torch

from pixgen.errors import ModelError
from pixgen.models import load_sketcher
from pixgen.models.clip.perceptor import EncodedTexts
from pixgen.models.sketchers.pocket import Conditioning


def codes(count: int = 2) -> torch.Tensor:
    return torch.randint(32, (count, 8, 8), generator=torch.Generator().manual_seed(4))


def some_words() -> EncodedTexts:
    return EncodedTexts(torch.randn(1, 7, 32), torch.tensor([[9, 11, 12, 0, 0, 0]]))


def test_blocks_of_codes_become_the_same_grid_again(tiny_sketcher):
    grid = codes()
    blocks = tiny_sketcher.code_blocks(grid)
    assert blocks.shape == (2, 16, 4)
    assert torch.equal(blocks[0, 0], grid[0, :2, :2].flatten())
    assert torch.equal(tiny_sketcher.code_grid(blocks), grid)


def test_a_code_depends_on_those_before_it_alone(tiny_sketcher):
    told = tiny_sketcher.encode(Conditioning(), count=2)
    grid = codes()
    before = tiny_sketcher(grid, told)
    changed = grid.clone()
    changed[:, 2, 2] = (changed[:, 2, 2] + 1) % 32  # the first code of the sixth block
    after = tiny_sketcher(changed, told)
    assert torch.allclose(before[:, :5], after[:, :5], atol=1e-5)
    assert torch.allclose(before[:, 5, 0], after[:, 5, 0], atol=1e-5)
    assert not torch.allclose(before[:, 5, 1], after[:, 5, 1], atol=1e-5)
    assert not torch.allclose(before[:, 6], after[:, 6], atol=1e-5)


def test_every_condition_changes_the_encoding(tiny_sketcher):
    words, vectors = some_words(), torch.randn(1, 16)
    ways = [
        Conditioning(),
        Conditioning(words=words),
        Conditioning(vectors=vectors),
        Conditioning(words, vectors),
    ]
    found = [tiny_sketcher.encode(way, count=1) for way in ways]
    assert all(told.places.shape == (1, tiny_sketcher.prefix + 15, 64) for told in found)
    for index, first in enumerate(found):
        assert all(not torch.equal(first.places, other.places) for other in found[index + 1 :])


def test_a_word_has_its_own_look_at_every_block(tiny_sketcher):
    words = some_words()
    other = EncodedTexts(words.hidden, torch.where(words.tokens == 9, 10, words.tokens))
    first, second = (tiny_sketcher.encode(Conditioning(words=each), count=1) for each in (words, other))
    differ = (first.places != second.places).any(-1)[0]
    assert not differ[: tiny_sketcher.prefix - 1].any()
    assert differ[tiny_sketcher.prefix - 1 :].all()


def test_the_prior_gives_unit_vectors(tiny_sketcher):
    assert torch.allclose(tiny_sketcher.prior(torch.randn(3, 16)).norm(dim=-1), torch.ones(3))


def test_an_unknown_sketch_model_lists_the_available_ones():
    with pytest.raises(ModelError, match="There is no sketch model “raphael”: choose pocket"):
        load_sketcher("raphael", "cpu")
