"""The switches in force while a model works, as torch.autocast is: for a block of code on one thread.

Loaded models are shared by runs at once, so what one of them wants may not be written into them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps

import torch
import torch.nn as nn
from torch.utils.checkpoint import checkpoint

from pixgen.engine import Engine
from pixgen.errors import DeviceError

BACKEND = "inductor"  # torch.compile's own default
_USUAL = Engine()
_IN_FORCE: ContextVar[Engine] = ContextVar("engine", default=_USUAL)


@contextmanager
def working(engine: Engine) -> Iterator[None]:
    """Models used inside work as ``engine`` says."""
    token = _IN_FORCE.set(engine)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def in_force() -> Engine:
    """What the models that are used here should work by."""
    return _IN_FORCE.get()


def half_precision(device: torch.device) -> str | None:
    """The half precision that a device has arithmetic for, by its name in a recipe."""
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    if device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return "bfloat16"
    return None


def can_compile() -> bool:
    """Whether torch.compile has a place here: ZeroGPU Spaces cannot, a GPU of theirs comes and goes."""
    return not os.environ.get("SPACES_ZERO_GPU")


def swiftly(owner: nn.Module, method: str) -> Callable[..., torch.Tensor]:
    """A module's method, compiled where that is switched on and possible; each is compiled once a shape.

    When it is called, it raises DeviceError if it cannot be compiled: on a CPU, torch needs a C++ compiler.
    """
    plain = getattr(owner, method)
    if not (in_force().compiled and can_compile()):
        return plain
    # In its dictionary alone: a module's state is its weights.
    return owner.__dict__.setdefault(f"_swift_{method}", _compiled(plain))


def _compiled(plain: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    from torch._dynamo.exc import TorchDynamoException  # takes seconds to load; few compile

    swift = torch.compile(plain, dynamic=False, backend=BACKEND)

    @wraps(plain)
    def called(*inputs: torch.Tensor) -> torch.Tensor:
        try:
            return swift(*inputs)
        except TorchDynamoException as error:
            reason = str(error).split("\n", 1)[0][:200]
            raise DeviceError(
                "The step cannot be compiled here ({reason}): set engine.compiled=false, or install what "
                "torch.compile needs, such as a C++ compiler.",
                reason=reason,
            ) from error

    return called


def sparingly(function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> torch.Tensor:
    """What ``function`` makes of its inputs; where asked for, what it keeps on the way is thrown away
    and made again on the way back (arXiv 1604.06174). It may hold no chance."""
    # A compiled model decides by itself what to keep.
    if torch.compiler.is_compiling() or not (torch.is_grad_enabled() and in_force().checkpoint):
        return function(*inputs)
    return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)
