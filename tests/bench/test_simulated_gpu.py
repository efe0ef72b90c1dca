"""Every way to paint, as on a GPU: no two devices meet, nobody waits in a step, and launches are few.

Nothing is computed: tensors of the pretended device have shapes alone.
"""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.bench.launches import launches, weightless_models
from pixgen.bench.simulated_gpu import (
    GPU,
    MixedDevicesError,
    SynchronisedError,
    simulated_gpu,
)
from pixgen.models import runtime
from pixgen.models.sketchers.pocket import OPEN, Conditioning, Sketcher
from pixgen.recipe.cutouts import CUTOUT_SETS
from pixgen.recipe.presets import load_preset
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.sketch.samplers import SamplingSettings, sample_codes
from pixgen.synthesis.tensors import Download, upload
from tests.conftest import TINY_SKETCHER

pytestmark = pytest.mark.pretend_gpu

BASE = {
    "prompts": "a red fox | snow:-0.4",
    "width": 64,
    "height": 64,
    "steps": 8,
    "seed": 3,
    "cutouts": {"kind": "crowson", "count": 6},
}
FOX = Image.fromarray(np.full((64, 64, 3), 120, np.uint8))
MASK = Image.fromarray(np.pad(np.full((32, 32), 255, np.uint8), 16))


class Video:
    """A video whose frames are all different."""

    def __getitem__(self, frame: int) -> Image.Image:
        return Image.fromarray(np.full((48, 64, 3), 100 + frame, np.uint8))


PICTURES = {"fox.png": FOX, "mask.png": MASK, "cat.mp4": Video()}
RECIPES = {
    "as it is": {},
    "bfloat16": {"precision": "bfloat16"},
    "float16": {"precision": "float16"},
    "pixels": {"drawer": "pixels"},
    "lines": {"drawer": "lines"},
    "waves": {"drawer": "fourier"},
    "wavelets": {"drawer": "fourier", "fourier": {"transform": "dwt"}},
    "multires": {"drawer": "multires"},
    "batches": {"cutouts": {"batches": 3}},
    "averaged": {"average": 0.9},
    "checkpoint": {"engine": {"checkpoint": True}},
    "in order": {"engine": {"deterministic": True}},
    "launched": {"engine": {"captured": False}},
    "a region": {"prompts": "a red fox @left | sea"},
    "a story": {"prompts": "a fox ^ a boat", "story": {"fade": 1.0}},
    "growing": {"grow": {"at": "0.25"}},
    "a noise": {"init": {"kind": "perlin"}},
    "a picture": {"init": {"kind": "picture", "picture": "fox.png"}},
    "a mask": {"init": {"kind": "picture", "picture": "fox.png", "mask": "mask.png", "fill": "picture"}},
    "a prompt's picture": {"prompts": "[fox.png]"},
    "a journey": {"journey": {"every": 1, "zoom": "1.02"}},
    "a journey in 3D": {"journey": {"every": 1, "pan": "2", "depth": "mask.png", "smooth": 0.4, "where": "latent"}},
    "a journey over edges": {"journey": {"every": 1, "x": "0.2", "border": "inpaint"}},
    "a journey around": {"journey": {"every": 1, "x": "0.2", "border": "wrap"}},
    "a restyled video": {"journey": {"every": 1, "video": "cat.mp4"}, "init": {"kind": "video"}},
    "a restyled video, blended": {
        "journey": {"every": 1, "video": "cat.mp4", "carry": 0.5, "smooth": 0.4},
        "init": {"kind": "video"},
        "losses": {"start_pixels": 0.1, "start_latent": 0.1},
        "precision": "bfloat16",
    },
    "a region of a video": {
        "prompts": "a red fox @[cat.mp4] | sea",
        "journey": {"every": 1, "video": "cat.mp4"},
        "init": {"kind": "video"},
    },
    "losses": {
        "losses": {
            "total_variation": 0.1, "saturation": 0.1, "smoothness": {"weight": 0.1}, "symmetry": {"weight": 0.1},
            "tiling": 0.1, "edge": {"weight": 0.1}, "palette": {"weight": 0.1, "colours": ["red", "blue"]},
            "style": {"weight": 0.1, "picture": "fox.png"}, "start_pixels": 0.1, "start_latent": 0.1, "latent_decay": 0.1,
            "anti_text": 0.1,
        }
    },
}  # fmt: skip
# Launches of a step at most: captured, and piece by piece. Cutouts from another level of the pyramid add nine.
TABLE = {"balanced": (80, 443), "full-draft": (65, 650)}


def painting(recipe):
    vqgan, perceptor = weightless_models(recipe)
    drawer = make_drawer(recipe, vqgan, pictures=PICTURES, device=GPU)
    return Optimization(recipe, drawer, perceptor, pictures=PICTURES)


def stepped(recipe, *, count: int = 2):
    """What the last of some steps did, after one in which all that is kept was made."""
    with simulated_gpu() as seen:
        steps = painting(recipe)
        next(steps)
        for _ in range(count - 1):
            seen.clear()
            next(steps)
        return seen


@pytest.mark.parametrize("change", RECIPES.values(), ids=RECIPES)
def test_a_step_mixes_no_devices_and_waits_for_nothing(change):
    seen = stepped(make_recipe(BASE, change), count=3)
    assert seen.syncs == []
    assert seen.half_operations == []
    assert seen.total > 0


# Without an algorithm of a fixed order on a GPU, where their sums are atomic additions.
UNORDERED = {
    "grid_sampler_2d_backward", "replication_pad2d_backward", "upsample_bilinear2d_backward",
    "upsample_bicubic2d_backward", "_upsample_bilinear2d_aa_backward", "_upsample_bicubic2d_aa_backward",
    "adaptive_avg_pool2d_backward", "embedding_dense_backward", "scatter_add", "scatter_add_", "scatter_reduce",
    "histc", "bincount",
}  # fmt: skip
# These have one, which sorts: where it is not asked for, their additions wait for each other.
CONTENDED = {"index_add", "index_add_", "index_put", "index_put_", "_index_put_impl_"}


@pytest.mark.parametrize("drawer", ["vqgan", "pixels", "lines"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_deterministic_step_has_no_sum_without_order(drawer, precision):
    change = {"drawer": drawer, "precision": precision, "engine": {"deterministic": True, "captured": False}}
    assert not UNORDERED & stepped(make_recipe(BASE, change)).count.keys()


@pytest.mark.parametrize(
    "change",
    [{"drawer": "lines"}, {"drawer": "pixels"}, {"drawer": "pixels", "pixels": {"count": 4}}],
    ids=["lines", "pixels", "palette"],
)
def test_cells_and_strokes_are_summed_without_contention(change):
    seen = stepped(make_recipe(BASE, change))
    assert not CONTENDED & seen.count.keys()
    # Only the cutouts' reading of the picture is.
    assert UNORDERED & seen.count.keys() <= {"grid_sampler_2d_backward"}


@pytest.mark.parametrize("name", CUTOUT_SETS)
def test_every_set_of_cutouts_is_placed_without_waiting(name):
    seen = stepped(make_recipe(BASE, {"cutouts": {"kind": name, "count": 8}}))
    assert seen.syncs == []
    assert seen.half_operations == []


def test_what_kornia_applies_itself_samples_on_the_gpu_without_its_process_wide_generator(monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the process-wide generator was used")

    own = {"crops": [{}], "augmentations": [{"kind": "kornia", "name": "RandomGaussianNoise"}]}
    with simulated_gpu() as seen:
        for name in ("get_rng_state", "set_rng_state", "manual_seed"):
            monkeypatch.setattr(torch.cuda, name, fail)
        next(painting(make_recipe(BASE, {"cutouts": {"own": own}})))
    assert seen.half_operations == []


@pytest.mark.parametrize("name", TABLE)
def test_a_step_launches_no_more_than_the_table_allows(name):
    recipe = make_recipe(load_preset(name).recipe, {"prompts": "a red fox"})
    found = launches(recipe, microseconds=4.5, teraflops=100)
    captured, launched = TABLE[name]
    assert found["captured"]["launches"] <= captured
    assert found["launched"]["launches"] <= launched
    assert found["captured"]["syncs"] == found["launched"]["syncs"] == 0
    assert found["launched"]["casts"] <= 4
    assert found["gflop"] > 1


def test_a_sketch_is_written_without_waiting():
    config = {**TINY_SKETCHER, "grid": 4}
    with simulated_gpu(strict=True) as seen:
        with seen.waits_allowed():
            model = Sketcher(config).to(GPU).eval()
            known = torch.full((2, 4, 4), OPEN)
            known[:, 0] = 3
        chance = torch.Generator(GPU)
        rows = list(
            sample_codes(model, Conditioning(), count=2, settings=SamplingSettings(), generator=chance)
        )
        assert len(rows) == 2
        with seen.waits_allowed():  # once, where something is there already
            known = known.to(GPU)
        with seen.waits_allowed():
            written = sample_codes(
                model,
                Conditioning(),
                count=2,
                settings=SamplingSettings(),
                generator=chance,
                known=known,
            )
            next(written)
        next(written)


def test_frames_and_states_leave_the_device():
    with simulated_gpu():
        steps = painting(make_recipe(BASE))
        frame = [next(steps), next(steps)][-1]
        assert frame.picture.shape == (64, 64, 3)
        assert len(frame.similarities) == 2
        state = steps.state()
        assert state["device"] == "cuda"
        state["device"], state["generator"] = (
            "cpu",
            torch.Generator.__new__(torch.Generator).get_state(),
        )
        other = painting(make_recipe(BASE))
        other.restore(state)
        assert "another kind of device" in next(other).notice


def test_what_cannot_be_captured_is_launched_and_told_in_one_line(monkeypatch):
    def refused(plain, samples):
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")

    with simulated_gpu():
        monkeypatch.setattr(torch.cuda, "make_graphed_callables", refused)
        steps = painting(make_recipe(BASE))
        notice = next(steps).notice
        assert (
            notice.count("cannot be captured as a CUDA graph here (CUDA error: operation not permitted") == 1
        )
        assert "more" not in notice.split("(")[1].split(")")[0]
        assert not next(steps).notice


def test_captures_are_kept_by_shape_and_released():
    made = []
    with simulated_gpu() as seen:
        make_graphed_callable = seen.make_graphed_callable

        def counted(plain, samples):
            made.append(tuple(samples[0].shape))
            return make_graphed_callable(plain, samples)

        torch.cuda.make_graphed_callables = counted  # which the pretended device puts back
        steps = painting(make_recipe(BASE))
        next(steps), next(steps)
        assert len(made) == 2  # the decoder and CLIP, once each
        runtime.release_captures()
        next(steps)
        assert made[:2] == made[2:]


def test_a_wait_a_mixture_and_half_precision_are_found():
    with simulated_gpu(strict=True) as seen:
        there, here = torch.zeros(4, device=GPU), torch.ones(4)
        with pytest.raises(SynchronisedError, match="number was read"):
            float(there.sum())
        with pytest.raises(SynchronisedError, match="copy between"):
            there.cpu()
        with pytest.raises(SynchronisedError, match="copy between"):
            torch.tensor([1.0, 2.0], device=GPU)
        with pytest.raises(SynchronisedError, match="not pinned"):
            here.to(GPU, non_blocking=True)
        with pytest.raises(SynchronisedError, match="index"):
            there[torch.tensor([0, 1])]
        with pytest.raises(MixedDevicesError, match="add"):
            there + here
        before = seen.total
        there.view(2, 2).mul(2)
        assert seen.total == before + 1  # a view is no launch
        there.half().argmin()
        assert seen.half_operations == ["argmin"]
        with seen.waits_allowed():
            there.cpu()
        assert upload(here, GPU).device == GPU
        assert Download(there)().device.type == "cpu"
    assert not torch.zeros(1).is_meta
