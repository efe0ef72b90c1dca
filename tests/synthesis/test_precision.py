"""What half precision must not reach, gradients that are not finite, and a scale that adapts."""

import pytest
import torch

from pixgen.losses.texture import StyleStatistics
from pixgen.models.runtime import use_engine
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.memory.out_of_memory import is_out_of_memory
from pixgen.synthesis.precision import GradientScale, arithmetic

CPU = torch.device("cpu")
BASE = {
    "prompts": "a red fox",
    "width": 32,
    "height": 32,
    "steps": 6,
    "seed": 3,
    "cutouts": {"kind": "crowson", "count": 4},
}
FLOAT16 = make_recipe(BASE, {"precision": "float16"})
PLAIN = make_recipe(BASE)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_a_latents_codes_are_those_of_float32(tiny_vqgan, half):
    tiny_vqgan.quantize.embedding.weight.data = torch.randn(
        512, 8, generator=torch.Generator().manual_seed(0)
    )
    latents = torch.randn(1, 8, 64, 64, generator=torch.Generator().manual_seed(1))
    plain = tiny_vqgan.codes(latents)
    recipe = make_recipe(BASE, {"precision": str(half).removeprefix("torch.")})
    with arithmetic(recipe, CPU):
        assert torch.equal(tiny_vqgan.codes(latents), plain)


class Watching(torch.utils._python_dispatch.TorchDispatchMode):
    """Notes the types of the tensors that some operations are given."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.names, self.seen = names, {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function._schema.name.removeprefix("aten::")
        if name in self.names:
            kinds = {each.dtype for each in args if isinstance(each, torch.Tensor)}
            self.seen.setdefault(name, set()).update(kinds)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_places_distances_and_losses_are_in_float32_and_models_are_not(tiny_vqgan, tiny_perceptor, precision):
    recipe = make_recipe(BASE, {"precision": precision, "losses": {"total_variation": 1.0}})
    painting = Optimization(recipe, make_drawer(recipe, tiny_vqgan), tiny_perceptor)
    with Watching("grid_sampler_2d", "argmin", "asin", "mean", "convolution") as watching:
        next(painting)
    for name in ("grid_sampler_2d", "argmin", "asin"):
        assert watching.seen[name] == {torch.float32}
    assert getattr(torch, precision) in watching.seen["convolution"]


def test_a_style_of_a_large_picture_is_finite_in_float16():
    style = StyleStatistics(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    picture = torch.ones(1, 3, 384, 384).requires_grad_()
    with arithmetic(FLOAT16, CPU):
        loss = style.loss(picture)
        loss.backward()
    assert loss.isfinite()
    assert picture.grad.isfinite().all()


def test_a_gradient_that_is_not_finite_is_dropped_counted_and_reported(tiny_vqgan, tiny_perceptor):
    painting = Optimization(PLAIN, make_drawer(PLAIN, tiny_vqgan), tiny_perceptor)
    next(painting)
    objective, evaluate = painting._objective, painting._objective.evaluate

    def broken(picture, *args, backward, **more):
        found = evaluate(picture, *args, backward=backward, **more)
        if backward:
            picture.grad[0, 0, 0, 0] = float("inf")
        return found

    objective.evaluate = broken
    notice = next(painting).notice
    assert "(1 so far)" in notice
    objective.evaluate = evaluate
    frames = list(painting)
    assert all(not frame.notice for frame in frames)  # told once
    assert painting.canvas.latent.isfinite().all()
    assert frames[-1].metrics.dropped == 1


def test_the_scale_halves_after_a_failure_and_doubles_after_many_good_steps():
    scale = GradientScale(CPU)
    one = torch.ones(())
    first = float(scale.scale_loss(one, FLOAT16))
    assert first == 4096
    gradient = torch.tensor([first, float("nan"), float("-inf")])
    scale.unscale(gradient, FLOAT16)
    assert gradient.tolist() == [1, 0, 0]
    assert float(scale.scale_loss(one, FLOAT16)) == first / 2
    for _ in range(200):
        scale.unscale(torch.ones(2), FLOAT16)
    assert float(scale.scale_loss(one, FLOAT16)) == first
    for _ in range(3000):
        scale.unscale(torch.ones(2), FLOAT16)
    assert float(scale.scale_loss(one, FLOAT16)) == 65536  # no further
    other = GradientScale(CPU)
    other.restore(scale.state())
    assert torch.equal(other.state(), scale.state())
    assert float(other.dropped) == 1


def test_in_float32_gradients_are_as_they_are():
    scale, gradient = GradientScale(CPU), torch.randn(50)
    before = gradient.clone()
    scale.unscale(gradient, PLAIN)
    assert torch.equal(gradient, before)
    assert scale.scale_loss(before, PLAIN) is before


def test_a_state_of_another_kind_of_device_goes_on_and_says_so(tiny_vqgan, tiny_perceptor):
    def painting():
        return Optimization(PLAIN, make_drawer(PLAIN, tiny_vqgan), tiny_perceptor)

    first = painting()
    next(first), next(first)
    state = first.state()
    assert state["device"] == "cpu"
    # What CUDA's generator keeps: a seed and an offset.
    theirs = {**state, "device": "cuda", "generator": torch.zeros(16, dtype=torch.uint8)}
    pictures = []
    for _ in range(2):
        resumed = painting()
        resumed.restore(theirs)
        frame = next(resumed)
        assert "another kind of device" in frame.notice
        pictures.append(next(resumed).picture)
    assert (pictures[0] == pictures[1]).all()  # seeded by the recipe and the step
    earlier = {name: value for name, value in theirs.items() if name != "device"}
    resumed = painting()
    resumed.restore(earlier)
    assert "another kind of device" in next(resumed).notice
    resumed = painting()
    resumed.restore(state)
    assert not next(resumed).notice


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: out of memory\nCompile with `TORCH_USE_CUDA_DSA`",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuFFT error: CUFFT_ALLOC_FAILED",
        "GET was unable to find an engine to execute this computation",
        "[enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: can't allocate memory: you tried to allocate",
    ],
)
def test_out_of_memory_errors_are_recognised_by_their_messages(said):
    assert is_out_of_memory(RuntimeError(said))


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: an illegal memory access was encountered",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA error: an illegal memory access was encountered (after CUDA error: out of memory)",
        "shape mismatch",
    ],
)
def test_what_is_broken_is_not_taken_for_too_little_memory(said):
    assert not is_out_of_memory(RuntimeError(said))


def test_switches_are_inherited_by_those_inside():
    told = []
    with use_engine(PLAIN.engine, tell=told.append), arithmetic(PLAIN, CPU):
        from pixgen.models.runtime import _CURRENT

        _CURRENT.get().tell("a sentence")
    assert told == ["a sentence"]
