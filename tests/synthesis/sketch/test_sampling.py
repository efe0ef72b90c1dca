"""Writing codes: by chance or surely, around what is known, and as the whole model would."""

import pytest
import torch

from pixgen.models.clip.perceptor import EncodedTexts
from pixgen.models.sketchers.pocket import OPEN, Conditioning
from pixgen.synthesis.sketch.samplers import SamplingSettings, sample_codes

SURE = SamplingSettings(temperature=0, guidance=1)


def written(model, *, seed: int = 0, count: int = 2, settings: SamplingSettings = SURE, **more) -> list:
    generator = torch.Generator().manual_seed(seed)
    wanted = more.pop("wanted", Conditioning())
    return list(sample_codes(model, wanted, count=count, settings=settings, generator=generator, **more))


def test_rows_of_blocks_appear_one_after_the_other(tiny_sketcher):
    stages = written(tiny_sketcher)
    assert len(stages) == 4
    assert [int((stage == OPEN).sum()) for stage in stages] == [96, 64, 32, 0]
    assert (stages[0][:, 2:] == OPEN).all()
    assert torch.equal(stages[0][:, :2], stages[-1][:, :2])


@pytest.mark.parametrize("guidance", [1, 2.5])
def test_the_cache_changes_nothing(tiny_sketcher, guidance):
    wanted = Conditioning(words=EncodedTexts(torch.randn(1, 7, 32), torch.tensor([[9, 11, 12, 0, 0, 0]])))
    codes = written(
        tiny_sketcher, settings=SamplingSettings(temperature=0, guidance=guidance), wanted=wanted
    )[-1]
    told, free = (
        tiny_sketcher.head.out(tiny_sketcher(codes, tiny_sketcher.encode(each, count=1).repeat(2)))
        for each in (wanted, Conditioning())
    )
    likeliest = (free + guidance * (told - free)).argmax(-1)
    assert torch.equal(likeliest, tiny_sketcher.code_blocks(codes))


def test_the_same_seed_samples_the_same(tiny_sketcher):
    settings = SamplingSettings(temperature=1.5)
    first = written(tiny_sketcher, settings=settings)[-1]
    assert torch.equal(first, written(tiny_sketcher, settings=settings)[-1])
    assert not torch.equal(first, written(tiny_sketcher, settings=settings, seed=1)[-1])
    assert not torch.equal(first[0], first[1])


def test_known_codes_stay(tiny_sketcher):
    known = torch.full((2, 8, 8), OPEN)
    known[:, :, :3] = 7
    codes = written(tiny_sketcher, known=known, settings=SamplingSettings())[-1]
    assert (codes[:, :, :3] == 7).all()
    assert (codes != OPEN).all()
    assert (codes[:, :, 3:] != 7).any()


def test_top_k_of_one_is_sure(tiny_sketcher):
    surely = written(tiny_sketcher, settings=SamplingSettings(temperature=0, guidance=1))[-1]
    one = written(tiny_sketcher, settings=SamplingSettings(temperature=2, top_k=1, guidance=1))[-1]
    assert torch.equal(surely, one)
