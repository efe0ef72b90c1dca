"""Seeded random numbers for code that can only draw from torch's process-wide generators, such as kornia."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_ONE_AT_A_TIME = threading.Lock()  # kornia's modules keep what they sampled last

# Functions that draw random numbers and take a generator.
_SAMPLERS = {
    torch.bernoulli,
    torch.multinomial,
    torch.normal,
    torch.rand,
    torch.randint,
    torch.randn,
    torch.randperm,
    torch._sample_dirichlet,
    torch._standard_gamma,
    torch.Tensor.bernoulli_,
    torch.Tensor.exponential_,
    torch.Tensor.normal_,
    torch.Tensor.random_,
    torch.Tensor.uniform_,
}

# Functions that take none, by one that fills an empty tensor with the same numbers.
_SAMPLERS_LIKE = {torch.rand_like: torch.Tensor.uniform_, torch.randn_like: torch.Tensor.normal_}


class _OwnGenerators(TorchFunctionMode):
    """Gives torch's sampling functions generators with this seed, on this thread."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed
        self._generators: dict[torch.device, torch.Generator] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in _SAMPLERS_LIKE:
            func, args, kwargs = _SAMPLERS_LIKE[func], (torch.empty_like(*args, **kwargs),), {}
        if func in _SAMPLERS and kwargs.get("generator") is None:
            kwargs["generator"] = self._generator(args, kwargs)
        return func(*args, **kwargs)

    def _generator(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Generator:
        """The generator of the device on which a call draws."""
        tensors = [each for each in (*args, *kwargs.values()) if isinstance(each, torch.Tensor)]
        drawn = tensors[0] if tensors else torch.empty(0, device=kwargs.get("device"))
        device = drawn.device  # with its index: “cuda” and “cuda:0” are one
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self._seed)
        return self._generators[device]


@contextmanager
def seeded_random_numbers(seed: int) -> Iterator[None]:
    """Draw what this thread samples inside the block from generators with this seed, one for each device.

    torch's process-wide generators are neither read nor changed, so other threads, which may build models
    meanwhile, disturb nothing. One thread at a time.
    """
    with _ONE_AT_A_TIME, _OwnGenerators(seed):
        yield
