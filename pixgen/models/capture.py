"""A model's pass, forward and backward, captured once as a CUDA graph and then launched as one.

Source of the method: ``torch.cuda.make_graphed_callables``. What it asks for holds here: weights are frozen,
shapes are fixed while a picture is painted, no pass reads a number back or draws by chance, and a forward is
followed by its backward before the next one, as the steps of a device take turns.

What a captured pass returns is overwritten by the next: whoever calls makes something new of it.
"""

from collections.abc import Callable
from weakref import WeakSet

import torch

from pixgen.messages import _
from pixgen.models.half_precision import ModuleCache

Pass = Callable[[torch.Tensor], torch.Tensor]
_MAX_GRAPHS = 4  # graphs of one pass: each holds the memory that it works in
_ALL_CAPTURES: "WeakSet[_CapturedPasses]" = WeakSet()


class _CapturedPasses:
    """The captured passes of one module, the last used last."""

    def __init__(self) -> None:
        self.passes: dict[tuple, Pass] = {}
        _ALL_CAPTURES.add(self)


def capture(plain: Pass, name: str, owner: ModuleCache, *, tell: Callable[[str], None]) -> Pass:
    """``plain``, captured where it can be: on a GPU, for a tensor whose gradient is wanted.

    Args:
        name: of the pass among those of its module.
        owner: what is kept for the module.
        tell: called with a sentence where a pass cannot be captured; it is then done as ever.
    """
    graphs = owner.setdefault("graphs", _CapturedPasses())

    def called(pictures: torch.Tensor) -> torch.Tensor:
        if not (pictures.is_cuda and pictures.requires_grad and torch.is_grad_enabled()):
            return plain(pictures)
        key = (name, pictures.shape, pictures.stride(), pictures.dtype, pictures.device)
        found = graphs.passes.pop(key, None)
        if found is None:
            found = _capture_graph(plain, pictures, tell=tell)
            while len(graphs.passes) >= _MAX_GRAPHS:
                graphs.passes.pop(next(iter(graphs.passes)))
        graphs.passes[key] = found
        return found(pictures)

    return called


def release_captures() -> None:
    """Give the memory back that captured passes hold; they are captured anew when they are next needed."""
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
        raise  # what helps is less at once, not the same without a graph
    except RuntimeError as error:
        tell(
            _(
                "A step cannot be captured here ({reason}): it is launched piece by piece, which is slower.",
                reason=str(error).splitlines()[0][:120],
            )
        )
        return plain
