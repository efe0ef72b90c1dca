"""Spikes before norms are measured; half precision is used only where there is arithmetic for it."""

import pytest
import torch
import torch.nn as nn

from pixgen.models.runtime import supported_half_precision
from pixgen.training.models.decoding import NormSpikes
from pixgen.training.models.loop import half_autocast


@pytest.fixture
def decoder():
    return nn.Sequential(nn.GroupNorm(1, 2), nn.Conv2d(2, 2, 1), nn.GroupNorm(1, 2))


def test_usual_numbers_are_no_spikes(decoder):
    spikes = NormSpikes(decoder)
    decoder(torch.randn(2, 2, 16, 16, generator=torch.Generator().manual_seed(0)))
    assert float(spikes.penalty().detach()) == 0


def test_a_spike_costs_and_pulls_at_what_makes_it(decoder):
    spikes = NormSpikes(decoder)
    calm = torch.randn(1, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    calm[0, 0, 0, 0] = 1000.0
    decoder(calm)
    penalty = spikes.penalty()
    assert float(penalty.detach()) > 0
    penalty.backward()
    assert decoder[1].weight.grad.abs().sum() > 0


def test_heights_are_counted_from_call_to_call(decoder):
    spikes = NormSpikes(decoder)
    spiked = torch.zeros(1, 2, 16, 16)
    spiked[0, 0, 3, 3] = 500.0
    decoder(spiked)
    first = float(spikes.penalty().detach())
    decoder(spiked)
    assert float(spikes.penalty().detach()) == pytest.approx(first)


def test_half_precision_is_not_imitated():
    device = torch.device("cpu")
    with half_autocast(device):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    there = supported_half_precision(device) is not None
    assert product.dtype == (torch.bfloat16 if there else torch.float32)
