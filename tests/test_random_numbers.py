"""Random numbers of one's own for code that draws from torch's process-wide generators."""

import threading

import pytest
import torch
import torch.nn as nn

from pixgen.random_numbers import seeded_random_numbers
from pixgen.recipe.kornia_classes import build_example, kornia_names


def sampled(seed: int) -> list[torch.Tensor]:
    with seeded_random_numbers(seed):
        return [
            torch.rand(3),
            torch.randn(2, 2),
            torch.randperm(9),
            torch.randint(5, (4,)),
            torch.rand_like(torch.zeros(3)),
            torch.randn_like(torch.zeros(3)),
            torch.bernoulli(torch.full((8,), 0.5)),
            torch.multinomial(torch.ones(6), 3),
            torch.distributions.Normal(0.0, 1.0).sample((2,)),
            torch.distributions.Beta(torch.tensor(0.3), torch.tensor(0.8)).sample((2,)),
            torch.empty(3).uniform_(2, 3),
        ]


def equal(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_numbers_follow_from_the_seed_alone():
    torch.manual_seed(1)
    first = sampled(7)
    torch.manual_seed(2)
    assert equal(sampled(7), first)
    assert not equal(sampled(8), first)


def test_they_are_those_that_torch_draws_after_the_same_seed():
    found = sampled(7)
    torch.manual_seed(7)
    assert torch.equal(torch.rand(3), found[0])
    assert torch.equal(torch.randn(2, 2), found[1])


def test_a_generator_that_the_caller_gives_is_used():
    with seeded_random_numbers(3):
        found = torch.rand(2, generator=torch.Generator().manual_seed(5))
    assert torch.equal(found, torch.rand(2, generator=torch.Generator().manual_seed(5)))


@pytest.mark.parametrize("name", kornia_names())
def test_a_class_of_kornia_draws_nothing_from_the_process_generator(name):
    module, before = build_example(name).build(), torch.get_rng_state()
    with seeded_random_numbers(3):
        module(torch.rand(2, 3, 64, 64))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_thread_that_builds_models_meanwhile_disturbs_nothing():
    alone, stop = sampled(7), threading.Event()

    def build() -> None:
        while not stop.is_set():
            nn.Linear(8, 8)

    thread = threading.Thread(target=build)
    thread.start()
    try:
        assert all(equal(sampled(7), alone) for _ in range(300))
    finally:
        stop.set()
        thread.join()
