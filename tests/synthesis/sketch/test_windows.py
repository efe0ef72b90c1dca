"""Longer canvases: windows that cover them, and what is known that stays."""

import pytest
import torch

from pixgen.models.sketchers.pocket import OPEN
from pixgen.synthesis.sketch.samplers import PocketSampler, SamplingSettings
from pixgen.synthesis.sketch.session import code_size, sample_windows, window_offsets


@pytest.mark.parametrize("length", range(16, 60, 2))
@pytest.mark.parametrize("middle_first", [True, False])
def test_windows_cover_a_canvas_and_each_touches_sampled_codes(length, middle_first):
    written: set[int] = set()
    for start in window_offsets(length, grid=16, middle_first=middle_first):
        window = set(range(start, start + 16))
        assert start % 2 == 0
        assert not written or window & written
        written |= window
    assert written == set(range(length))


def test_the_shorter_side_is_the_sketchers():
    assert code_size(128, 128, grid=16) == (16, 16)
    assert code_size(256, 128, grid=16) == (16, 32)
    assert code_size(100, 260, grid=16) == (42, 16)


@pytest.mark.parametrize("shape", [(8, 8), (8, 14), (20, 8)])
def test_open_codes_are_sampled_and_known_codes_stay(tiny_sketcher, shape):
    known = torch.full((2, *shape), OPEN)
    known[:, :3, :5] = 7
    generator = torch.Generator().manual_seed(0)
    sampler = PocketSampler(tiny_sketcher, None)
    stages = list(
        sample_windows(sampler, None, known=known, settings=SamplingSettings(), generator=generator)
    )
    assert (stages[-1] != OPEN).all()
    assert (stages[-1][:, :3, :5] == 7).all()
    open_places = [int((stage == OPEN).sum()) for stage in stages]
    assert open_places == sorted(open_places, reverse=True)
