"""How models run (half precision, compiled, captured, checkpointed), set for a block of code as torch.autocast is.

Several runs share loaded models at the same time, so one run's options may not be written into a model. Its
copies in half precision, its compiled and its captured passes are cached on it.

Half weights replace ``torch.autocast``, whose casts of every weight in every step are most of the kernels that a
GPU launches in half precision. Everything around a model (geometry, distances, losses) stays in float32.

A captured pass is a CUDA graph of a model's forward and backward pass, replayed in one launch. Source of the
method: ``torch.cuda.make_graphed_callables``. Its conditions hold here: weights are frozen, shapes are fixed
while a picture is painted, no pass copies a value to the CPU or draws random numbers, and each forward is
followed by its backward before the next one, because jobs take turns on a device. The next replay overwrites
the returned tensor: callers must compute something new from it at once.
"""

import copy
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any
from weakref import WeakSet

import torch
import torch.nn as nn
from open_clip.transformer import LayerNormFp32
from torch.utils.checkpoint import checkpoint

from pixgen.errors import DeviceError
from pixgen.messages import _
from pixgen.recipe.settings import Engine

_NORMS = (nn.GroupNorm, nn.LayerNorm)
Pass = Callable[[torch.Tensor], torch.Tensor]
_MAX_GRAPHS = 4  # graphs per module: each holds its working memory
_ALL_CAPTURES: "WeakSet[_CapturedPasses]" = WeakSet()
BACKEND = "inductor"  # torch.compile's own default
# torch's own limit is 8 for all sizes, precisions and grad modes together, and falls back without a word.
_MAX_COMPILED = 64


class ModuleCache(dict):
    """Copies, compiled and captured functions of a module. Copying or pickling the module leaves them out."""

    def __deepcopy__(self, memo: dict) -> "ModuleCache":
        return ModuleCache()

    def __reduce__(self) -> tuple:
        return ModuleCache, ()


def cached_on(module: nn.Module) -> ModuleCache:
    """A module's cache, stored in its ``__dict__`` and thus no part of its state dict."""
    return module.__dict__.setdefault("_pixgen_kept", ModuleCache())


def half_copy(module: nn.Module, half: torch.dtype, *, part: str = "") -> nn.Module:
    """A copy of a frozen module with its weights in half precision; made once and cached on the module.

    Args:
        part: the name of the only child to convert, or empty for all; other weights are shared.
    """
    copies = cached_on(module)
    if ("half", half, part) not in copies:
        copies["half", half, part] = _copy_in_half(module, half, part)
    return copies["half", half, part]


@torch.no_grad()
def _copy_in_half(module: nn.Module, half: torch.dtype, part: str) -> nn.Module:
    # deepcopy takes a tensor's entry in the memo for its copy: weights are shared unless replaced below.
    memo: dict[int, Any] = {id(each): each for each in (*module.parameters(), *module.buffers())}
    for child in (getattr(module, part) if part else module).modules():
        for tensor in (*child._parameters.values(), *child._buffers.values()):
            if tensor is None or not tensor.is_floating_point() or _stays_float32(child, tensor):
                continue
            slim = tensor.to(half)
            memo[id(tensor)] = nn.Parameter(slim, False) if isinstance(tensor, nn.Parameter) else slim
    return copy.deepcopy(module, memo)


def _stays_float32(child: nn.Module, weight: torch.Tensor) -> bool:
    """Whether a weight stays in float32: those of norms that compute in it, and of all norms on a CPU, where
    activations and weights of a norm may have different types."""
    if isinstance(child, (LayerNormFp32, nn.modules.batchnorm._BatchNorm)):
        return True
    return isinstance(child, _NORMS) and weight.device.type == "cpu"


class _CapturedPasses:
    """The captured passes of one module, the most recently used last."""

    def __init__(self) -> None:
        self.passes: dict[tuple, Pass] = {}
        _ALL_CAPTURES.add(self)


def capture(plain: Pass, name: str, owner: ModuleCache, *, tell: Callable[[str], None]) -> Pass:
    """``plain``, replayed from a CUDA graph where that is possible: on a GPU, for a tensor that needs a gradient.

    Args:
        name: of the pass, unique within its module.
        owner: the module's cache, which holds the graphs.
        tell: called with a sentence when a pass cannot be captured and runs without a graph.
    """
    graphs = owner.setdefault("graphs", _CapturedPasses())

    def replay(pictures: torch.Tensor) -> torch.Tensor:
        if not (pictures.is_cuda and pictures.requires_grad and torch.is_grad_enabled()):
            return plain(pictures)
        key = (name, pictures.shape, pictures.stride(), pictures.dtype, pictures.device)
        captured = graphs.passes.pop(key, None)
        if captured is None:
            captured = _capture_graph(plain, pictures, tell=tell)
            while len(graphs.passes) >= _MAX_GRAPHS:
                graphs.passes.pop(next(iter(graphs.passes)))
        graphs.passes[key] = captured
        return captured(pictures)

    return replay


def release_captures() -> None:
    """Free the memory of all captured passes; each is captured again when it is next called."""
    for graphs in list(_ALL_CAPTURES):
        graphs.passes.clear()


def _capture_graph(plain: Pass, pictures: torch.Tensor, *, tell: Callable[[str], None]) -> Pass:
    like = torch.empty_strided(
        pictures.shape, pictures.stride(), dtype=pictures.dtype, device=pictures.device
    )
    sample = like.copy_(pictures.detach()).requires_grad_()
    try:
        return torch.cuda.make_graphed_callables(plain, (sample,))
    except torch.OutOfMemoryError:
        raise  # running without a graph would need the same memory: the caller must lower it
    except RuntimeError as error:
        tell(
            _(
                "The step cannot be captured as a CUDA graph here ({reason}): its kernels are launched "
                "one by one, which is slower.",
                reason=str(error).splitlines()[0][:120],
            )
        )
        return plain


@dataclass(frozen=True)
class _RuntimeOptions:
    engine: Engine
    half: torch.dtype | None = None
    tell: Callable[[str], None] = lambda sentence: None


_DEFAULT = _RuntimeOptions(Engine())
_CURRENT: ContextVar[_RuntimeOptions] = ContextVar("switches", default=_DEFAULT)


@contextmanager
def use_engine(
    engine: Engine, half: torch.dtype | None = None, *, tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Run the models inside this block as ``engine`` says.

    Args:
        half: the type of the VQGAN's and CLIP's weights; None for the loaded weights.
        tell: called with a sentence about an option that does not work here; by default the outer block's.
    """
    token = _CURRENT.set(_RuntimeOptions(engine, half, tell or _CURRENT.get().tell))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_engine() -> Engine:
    """The engine settings of the current block."""
    return _CURRENT.get().engine


def current_half() -> torch.dtype | None:
    """The type of the models' weights in the current block; None for the loaded weights'."""
    return _CURRENT.get().half


def supported_half_precision(device: torch.device) -> str | None:
    """The half precision that a device computes in natively, by its name in a recipe."""
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    if device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return "bfloat16"
    return None


def can_compile() -> bool:
    """Whether torch.compile may be used: not on ZeroGPU Spaces, where a GPU is attached for moments."""
    return not os.environ.get("SPACES_ZERO_GPU")


def compiled(
    owner: nn.Module, method: str, *, part: str = "", before: Pass | None = None, after: Pass | None = None
) -> Pass:
    """A module's method of one tensor, with the current options: half weights, compiled, or captured on a GPU.

    A call may overwrite the result of the call before it.

    Args:
        part: the child that the method uses; only its weights are converted.
        before, after: what is done to its input and its result, the same for every call; they are compiled and
            captured with it.

    The call raises DeviceError if it cannot be compiled: on a CPU, torch needs a C++ compiler.
    """
    switches = _CURRENT.get()
    engine, half = switches.engine, switches.half
    if half is not None:
        owner = half_copy(owner, half, part=part)
    plain = getattr(owner, method)

    def run(pictures: torch.Tensor) -> torch.Tensor:
        entering = before(pictures) if before else pictures
        made = plain(entering if half is None else entering.to(half))
        return after(made) if after else made

    if engine.compiled and can_compile():
        cache = cached_on(owner)
        if ("compiled", method) not in cache:
            cache["compiled", method] = _compile(run)
        return cache["compiled", method]
    # Checkpointing saves the memory that a captured graph would hold: the two exclude each other.
    if engine.captured and not engine.checkpoint:
        return capture(run, method, cached_on(owner), tell=switches.tell)
    return run


def _compile(plain: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    # Imported here: it takes seconds to load, and few runs compile.
    from torch._dynamo.exc import FailOnRecompileLimitHit, TorchDynamoException

    compiled_pass = torch.compile(plain, dynamic=False, backend=BACKEND)
    known: set[tuple] = set()  # what it was compiled for

    @wraps(plain)
    def run(pictures: torch.Tensor) -> torch.Tensor:
        key = (
            pictures.shape,
            pictures.stride(),
            pictures.dtype,
            pictures.requires_grad,
            torch.is_grad_enabled(),
        )
        try:
            if key in known:
                return compiled_pass(pictures)
            with torch._dynamo.config.patch(recompile_limit=_MAX_COMPILED, fail_on_recompile_limit_hit=True):
                made = compiled_pass(pictures)
        except (TorchDynamoException, FailOnRecompileLimitHit) as error:
            reason = str(error).split("\n", 1)[0][:200]
            raise DeviceError(
                "The step cannot be compiled here ({reason}): set engine.compiled=false, or install what "
                "torch.compile needs, such as a C++ compiler.",
                reason=reason,
            ) from error
        known.add(key)
        return made

    return run


def checkpointed(function: Callable[..., torch.Tensor], *inputs: torch.Tensor) -> torch.Tensor:
    """Call ``function``; with ``engine.checkpoint``, its activations are dropped and computed again in the
    backward pass (arXiv 1604.06174). It may draw no random numbers."""
    # A compiled model decides by itself what to keep.
    if torch.compiler.is_compiling() or not (torch.is_grad_enabled() and current_engine().checkpoint):
        return function(*inputs)
    return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)


@contextmanager
def tensor_float32(on: bool) -> Iterator[None]:
    """Allow or forbid TF32 for float32 inside, for convolutions and matrix products alike (torch's default allows
    it for convolutions alone)."""
    before, cudnn = torch.get_float32_matmul_precision(), torch.backends.cudnn
    torch.set_float32_matmul_precision("high" if on else "highest")
    try:
        with cudnn.flags(
            enabled=cudnn.enabled,
            benchmark=cudnn.benchmark,
            deterministic=cudnn.deterministic,
            allow_tf32=on,
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Compute inside in the precision of the tensors, whatever precision is set outside."""
    exact = tensor_float32(False) if device.type == "cuda" else nullcontext()
    with torch.autocast(device.type, enabled=False), exact:
        yield


@contextmanager
def deterministic() -> Iterator[None]:
    """Use torch's deterministic algorithms inside, where they exist. The switch is global to the process, so it is
    set for one turn on a device and restored afterwards."""
    # Without it cuBLAS may choose another algorithm each time; it is read when a device is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with warnings.catch_warnings():
            # The docs say where torch has no deterministic algorithm.
            warnings.filterwarnings("ignore", message=".*deterministic.*")
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn)
