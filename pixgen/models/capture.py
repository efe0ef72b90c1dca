"""Capture a model's forward and backward pass as a CUDA graph, and replay it in one launch.

Source of the method: ``torch.cuda.make_graphed_callables``. Its conditions hold here: weights are frozen,
shapes are fixed while a picture is painted, no pass copies a value to the CPU or draws random numbers, and each
forward is followed by its backward before the next one, because jobs take turns on a device.

The next replay overwrites the returned tensor: callers must compute something new from it at once.
"""

from collections.abc import Callable
from weakref import WeakSet

import torch

from pixgen.messages import _
from pixgen.models.half_precision import ModuleCache

Pass = Callable[[torch.Tensor], torch.Tensor]
_MAX_GRAPHS = 4  # graphs per module: each holds its working memory
_ALL_CAPTURES: "WeakSet[_CapturedPasses]" = WeakSet()


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
                "A step cannot be captured here ({reason}): it is launched piece by piece, which is slower.",
                reason=str(error).splitlines()[0][:120],
            )
        )
        return plain
