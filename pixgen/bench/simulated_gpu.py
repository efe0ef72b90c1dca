"""A simulated GPU: code runs as on ``cuda:0`` with tensors that have shapes and no values, without a GPU.

Tensors of the simulated device are torch's meta tensors: they have shapes, types and gradients. Tensors on the CPU
are computed as usual. So every operation can be checked: which devices it mixes, whether the CPU would wait for
the GPU, and how many kernels a step launches.

(FakeTensorMode would be torch's own way; without a driver its backward stops in the autograd engine, which
asks CUDA for streams: github.com/pytorch/pytorch/issues/92627.)
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map
from torch.utils.weak import WeakIdKeyDictionary

GPU = torch.device("cuda:0")
_META = torch.device("meta")
_HALF_TYPES = (torch.float16, torch.bfloat16)
_NO_LAUNCH = ("empty", "new_empty", "detach", "_unsafe_view", "lift_fresh", "alias", "_reshape_alias", "set_",
              "resize_")  # fmt: skip
# On one device, these take a host's numbers as arguments of the kernel; the index of a read does not.
_COPIES = ("_to_copy", "copy_")
# What needs float32: sums of squares overflow in half, and places and codes are off by pixels.
_NEED_FLOAT32 = ("grid_sampler_2d", "grid_sampler_2d_backward", "argmin", "acos", "asin", "_cdist_forward", "_cdist_backward",
                 "linalg_inv_ex", "_linalg_solve_ex", "_fft_c2r", "_fft_r2c")  # fmt: skip


class SynchronisedError(AssertionError):
    """The CPU would have waited for the GPU."""


class MixedDevicesError(AssertionError):
    """An operation got tensors of two devices."""


class Launches(TorchDispatchMode):
    """Counts the kernels that are launched, and finds waits and operations in the wrong precision.

    Attributes:
        count: operations by name, without views and allocations.
        casts: how many of them only change a tensor's type.
        syncs: a sentence for each wait of the CPU.
        slim: operations in half precision that need float32.
    """

    def __init__(self, *, strict: bool) -> None:
        super().__init__()
        self.strict = strict
        self.count: Counter[str] = Counter()
        self.casts, self.syncs, self.half_operations = 0, [], []
        self.pinned = WeakIdKeyDictionary()  # tensors, by identity
        self._recording = True

    @property
    def total(self) -> int:
        """The number of launches."""
        return sum(self.count.values())

    def clear(self) -> None:
        """Reset all counts."""
        self.count.clear()
        self.casts, self.syncs, self.half_operations = 0, [], []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = function._schema.name.removeprefix("aten::")
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        ours = [each for each in tensors if each.device == _META]
        if name in _COPIES:
            return self._copied(function, name, args, kwargs)
        if name == "_local_scalar_dense" and ours:
            self._waits("a number was read from the GPU")
            return 0.0 if ours[0].is_floating_point() else 0
        if not ours:
            made = function(*args, **kwargs)
            if any(_on_gpu(each) for each in tree_leaves(made)) and not _is_memory(function, name):
                self.count[name] += 1
            return made
        self._check(name, tensors, ours)
        if name in ("nonzero", "masked_select", "_unique2", "unique_dim"):
            self._waits(f"{name} has a size that only the GPU knows")
        if not _is_memory(function, name):
            self.count[name] += 1
        return function(*args, **kwargs)

    def _copied(self, function, name, args, kwargs):
        """Handle a copy or a cast; between devices the CPU may have to wait for it."""
        target = args[0] if name == "copy_" else None
        source = args[1] if name == "copy_" else args[0]
        to = target.device if target is not None else kwargs.get("device") or source.device
        from_gpu, to_gpu = source.device == _META, torch.device(to).type == "meta"
        smooth = kwargs.get("non_blocking", False) or (len(args) > 2 and args[2])
        if from_gpu != to_gpu:
            if not smooth:
                self._waits("a copy between CPU and GPU was waited for")
            elif to_gpu and source not in self.pinned:
                self._waits("what is copied to the GPU was not pinned")
            elif from_gpu and (target is None or target not in self.pinned):
                self._waits("what is copied from the GPU does not go to pinned memory")
        if from_gpu and not to_gpu:
            self.count["to the CPU"] += 1
            if target is not None:
                return target.zero_()
            kind = kwargs.get("dtype") or source.dtype
            return torch.zeros(source.shape, dtype=kind, device="cpu")
        if to_gpu:
            self.count[name if from_gpu else "to the GPU"] += 1
            self.casts += name == "_to_copy" and from_gpu and kwargs.get("dtype") not in (None, source.dtype)
            if target is not None and not from_gpu:
                return target
        return function(*args, **kwargs)

    def _check(self, name: str, tensors: list[torch.Tensor], ours: list[torch.Tensor]) -> None:
        theirs = [each for each in tensors if each.device != _META and each.dim()]
        if theirs and name.startswith(("index", "_index", "_unsafe_index")):
            self._waits("an index was on the CPU")
        elif theirs:
            raise MixedDevicesError(f"{name} was given tensors of the CPU and of the GPU")
        if name in _NEED_FLOAT32 and any(each.dtype in _HALF_TYPES for each in ours):
            self.half_operations.append(name)

    def _waits(self, why: str) -> None:
        if not self._recording:
            return
        self.syncs.append(why)
        if self.strict:
            raise SynchronisedError(f"{why[0].upper()}{why[1:]}: the CPU waits for all that the GPU does")

    def make_graphed_callable(self, plain: Callable, samples: tuple[torch.Tensor, ...]) -> Callable:
        """Stands in for ``torch.cuda.make_graphed_callables``: one launch forward and one backward.

        An operation that CUDA could not capture raises.
        """
        (sample,), launches = samples, self
        with self._captures():
            plain(sample).sum().backward()

        class Graph(torch.autograd.Function):
            @staticmethod
            def forward(ctx, pictures: torch.Tensor) -> torch.Tensor:
                launches.count["graph"] += 1
                with launches._captures(), torch.enable_grad():
                    ctx.inside = pictures.detach().requires_grad_()
                    ctx.made = plain(ctx.inside)
                return ctx.made.detach()

            @staticmethod
            def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
                launches.count["graph"] += 1
                with launches._captures():
                    return torch.autograd.grad(ctx.made, ctx.inside, gradient)[0]

        return Graph.apply

    @contextmanager
    def _captures(self) -> Iterator[None]:
        """Inside, launches belong to a graph and are not counted, and waiting is an error, as in CUDA."""
        count, casts, syncs = self.count.copy(), self.casts, len(self.syncs)
        strict, self.strict = self.strict, True
        try:
            yield
        finally:
            self.strict, self.count, self.casts = strict, count, casts
            del self.syncs[syncs:]

    @contextmanager
    def waits_allowed(self) -> Iterator[None]:
        """Inside, waits are not recorded: work outside the loop of steps may wait."""
        was, self._recording = self._recording, False
        try:
            yield
        finally:
            self._recording = was


class _DeviceNames(TorchFunctionMode):
    """Translates ``meta`` into ``cuda:0`` for the caller, and back for torch."""

    def __init__(self, launches: Launches) -> None:
        super().__init__()
        self._launches = launches

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is torch.device:
            return function(*args, **kwargs)
        if function == torch.Tensor.device.__get__:
            found = function(*args)
            return GPU if found == _META else found
        if function == torch.Tensor.is_cuda.__get__:
            return torch.Tensor.device.__get__(args[0]) == _META
        if function == torch.Tensor.is_meta.__get__:
            return False
        if function is torch.Tensor.cuda:
            return args[0].to(_META)
        if function in (torch.Tensor.cpu, torch.Tensor.numpy, torch.Tensor.tolist) and _on_gpu(args[0]):
            if function is torch.Tensor.numpy:
                raise TypeError("can't convert a cuda:0 tensor to numpy: use .cpu() first")
            host = args[0].to("cpu")
            return host if function is torch.Tensor.cpu else host.tolist()
        if function is torch.Tensor.pin_memory:
            return self._pin(args[0])
        pinned = kwargs.pop("pin_memory", False)
        args, kwargs = tree_map(_as_meta, (args, kwargs))
        if function is torch.tensor and kwargs.get("device") == _META:
            return function(*args, **{**kwargs, "device": "cpu"}).to(_META)
        made = function(*args, **kwargs)
        return self._pin(made) if pinned else made

    def _pin(self, tensor: torch.Tensor) -> torch.Tensor:
        self._launches.pinned[tensor] = True
        return tensor


class _Generator(torch.Generator):
    """A random generator of the simulated device; nothing is drawn from it."""

    @property
    def device(self) -> torch.device:
        return GPU

    def get_state(self) -> torch.Tensor:
        return torch.zeros(16, dtype=torch.uint8)  # as much as CUDA's

    def set_state(self, state: torch.Tensor) -> "_Generator":
        if state.numel() != 16:
            raise RuntimeError("RNG state is wrong size")
        return self


class _Generators:
    """Stands in for ``torch.Generator``: makes one for any device, the simulated one included."""

    def __new__(cls, device: Any = "cpu") -> torch.Generator:
        return _Generator() if torch.device(device).type == "cuda" else _Generator.__base__(device)


class _Event:
    """An event of the simulated device, which has always happened."""

    def record(self, stream: Any = None) -> None:
        """Do nothing."""

    def synchronize(self) -> None:
        """Do nothing."""

    def query(self) -> bool:
        """Whether the event has happened."""
        return True


@contextmanager
def simulated_gpu(*, strict: bool = False) -> Iterator[Launches]:
    """Simulate a ``cuda:0`` on which nothing is computed; yields the counter of its launches.

    Args:
        strict: whether a wait of the CPU for the GPU raises ``SynchronisedError``.

    Mixing devices always raises ``MixedDevicesError``.
    """
    import torch._dynamo

    launches = Launches(strict=strict)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(torch, "Generator", _Generators))
        for name, stand_in in {
            "Event": _Event,
            "current_stream": lambda device=None: None,
            "is_bf16_supported": lambda **_: True,
            "synchronize": lambda device=None: None,
            "empty_cache": lambda: None,
            "is_available": lambda: False,
        }.items():
            stack.enter_context(mock.patch.object(torch.cuda, name, stand_in))
        # Functions of torch call it by its name, where a mode does not see it.
        stack.enter_context(mock.patch.object(F, "scaled_dot_product_attention", _attention))
        stack.enter_context(
            mock.patch.object(torch.cuda, "make_graphed_callables", launches.make_graphed_callable)
        )
        stack.enter_context(launches)
        stack.enter_context(_DeviceNames(launches))
        yield launches


def _as_meta(value: Any) -> Any:
    if isinstance(value, torch.device):
        return _META if value.type == "cuda" else value
    return _META if isinstance(value, str) and value.split(":")[0] == "cuda" else value


def _on_gpu(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.device == _META


def _is_memory(function: Any, name: str) -> bool:
    """Whether an operation is a view or an allocation, which launches nothing."""
    return function.is_view or name.startswith(_NO_LAUNCH)


_original_attention = F.scaled_dot_product_attention


def _attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, **more):
    """Attention as on a GPU, in one launch: flash kernels in half precision, memory-efficient ones in float32."""
    if query.device.type not in ("cuda", "meta"):
        return _original_attention(query, key, value, attn_mask, dropout_p, is_causal, **more)
    if query.dtype in _HALF_TYPES and attn_mask is None:
        return torch.ops.aten._scaled_dot_product_flash_attention(query, key, value, dropout_p, is_causal)[0]
    return torch.ops.aten._scaled_dot_product_efficient_attention(
        query, key, value, attn_mask, True, dropout_p, is_causal
    )[0]
