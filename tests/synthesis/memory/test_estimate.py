"""Memory estimated from shapes: its size, and what lowers it."""

import pytest
import torch

from pixgen.errors import ModelError
from pixgen.models import load_perceptor, load_vqgan
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis.memory.estimate import CUDA_WORKSPACES, estimate_memory, trace_shapes

BASE = {
    "prompts": "a red fox",
    "width": 64,
    "height": 64,
    "cutouts": {"kind": "crowson", "count": 4},
}


def step(*parts) -> int:
    # Without what libraries take, whatever is painted.
    return estimate_memory(make_recipe(BASE, *parts), device="cuda").step - CUDA_WORKSPACES


def test_a_trace_counts_what_is_alive_at_once():
    with trace_shapes() as trace:
        first = torch.zeros(1000)
        second = first + 1
        del first
        third = second.view(10, 100) * 2
        del second
        assert trace.held == 4000
        assert trace.peak == 8000
        assert third.shape == (10, 100)


def test_the_weights_are_the_models():
    vqgan, perceptor = load_vqgan("pocket", "cpu"), load_perceptor(["pocket"], "cpu")
    tensors = [*vqgan.parameters(), *perceptor.parameters(), *perceptor.buffers()]
    found = estimate_memory(make_recipe(BASE)).weights
    assert found == pytest.approx(sum(tensor.nbytes for tensor in tensors), rel=0.02)


@pytest.mark.parametrize(
    ("change", "least", "most"),
    [
        ({"width": 128}, 1.5, 2),  # the decoder's part doubles
        ({"cutouts": {"count": 8}}, 1.1, 2),
        ({"cutouts": {"batches": 4}}, 0.5, 0.99),
        ({"engine": {"checkpoint": True}}, 0.3, 0.8),
        ({"drawer": "fourier"}, 0.05, 0.6),
    ],
)
def test_a_step_takes_more_or_less(change, least, most):
    assert least <= step(change) / step() <= most


def test_half_precision_halves_pictures_and_adds_half_of_the_weights():
    large = {"width": 256, "height": 256}
    assert step(large, {"precision": "bfloat16"}) < 0.8 * step(large)
    assert step({"precision": "bfloat16"}) < step() + estimate_memory(make_recipe(BASE)).weights / 2


def test_half_weights_are_counted_once_and_not_again_in_each_layer():
    """As copies they are held beside the others; by autocast each would be made again in every step."""
    large = {"width": 256, "height": 256}
    weights = estimate_memory(make_recipe(BASE)).weights
    plain, half = step(large), step(large, {"precision": "bfloat16"})
    assert plain / 2 < half < plain / 2 + 1.1 * weights / 2 + 0.1 * plain


def test_a_gpus_libraries_have_their_share():
    assert step() > 0
    assert estimate_memory(make_recipe(BASE), device="cuda").step > CUDA_WORKSPACES


def test_what_changes_no_memory_changes_no_estimate():
    said = {"prompts": "ein Boot | sea", "translations": {"ein Boot": "a boat"}}
    other = {**said, "seed": 9, "steps": 7, "grow": {"at": "0.5"}}
    assert estimate_memory(make_recipe(BASE, other)) == estimate_memory(make_recipe(BASE))


def test_a_sketch_brings_its_models_along():
    sketched = make_recipe(BASE, {"init": {"kind": "sketch"}})
    assert estimate_memory(sketched).weights > estimate_memory(make_recipe(BASE)).weights + 20e6
    assert (
        estimate_memory(sketched).total == estimate_memory(sketched).weights + estimate_memory(sketched).step
    )


def test_an_unknown_architecture_raises():
    with pytest.raises(ModelError, match="is not a known CLIP"):
        estimate_memory(make_recipe(BASE, {"clip": ["hf-hub:someone/something"]}))


def test_a_fetched_sketcher_is_counted_before_it_is_there():
    def weights(name: str, **more) -> int:
        start = {"kind": "sketch", "sketch": {"model": name}}
        return estimate_memory(make_recipe(BASE, {"init": start}, more)).weights

    alone = estimate_memory(make_recipe(BASE)).weights
    mini, mega = weights("dalle-mini") - alone, weights("dalle-mega") - alone
    vqgan = 304e6  # as large as its file
    assert mini == pytest.approx(4 * 437.96e6 + vqgan, rel=0.01)
    assert mega == pytest.approx(4 * 2587.97e6 + vqgan, rel=0.01)
    own = weights("dalle-mini", model="dalle-mini-f16")
    plain = estimate_memory(make_recipe(BASE, {"model": "dalle-mini-f16"})).weights
    assert own - plain == pytest.approx(4 * 437.96e6, rel=0.01)


def test_what_is_kept_while_writing_is_counted():
    def step(count: int) -> int:
        start = {"kind": "sketch", "sketch": {"model": "dalle-mega", "candidates": count}}
        return estimate_memory(make_recipe(BASE, {"init": start})).step

    # Keys and values of 320 places in 24 layers, told and untold.
    assert step(16) - step(8) == pytest.approx(8 * 2 * 2 * 24 * 320 * 2048 * 4 * 1.15, rel=0.05)


def test_a_sketcher_of_unknown_size_raises(caches):
    with pytest.raises(ModelError, match="“karlo” has not been downloaded"):
        estimate_memory(make_recipe(BASE, {"init": {"kind": "sketch", "sketch": {"model": "karlo"}}}))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    "change",
    [
        {"engine": {"augmentations": "kornia"}},
        {
            "cutouts": {
                "own": {
                    "crops": [{}],
                    "augmentations": [
                        {
                            "kind": "kornia",
                            "name": "RandomGaussianBlur",
                            "args": {"kernel_size": [3, 3], "sigma": [0.1, 2.0]},
                        }
                    ],
                }
            }
        },
    ],
)
def test_augmentations_that_kornia_applies_do_not_keep_a_recipe_from_being_estimated(version, change):
    plain = {"prompts": "a fox", "version": version}
    found = estimate_memory(make_recipe(plain, change)).total
    assert found == pytest.approx(estimate_memory(make_recipe(plain)).total, rel=0.2)
