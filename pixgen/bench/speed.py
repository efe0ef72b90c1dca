"""Time a step and its stages, and compare it with its minimum of arithmetic and with a plain loop.

The floor is the multiplications and additions of decode and CLIP, forward and backward to their inputs, at the
rate that this machine reaches in one large matrix product.

The plain loop is that of the published notebooks in float32, without any optimization. Source: Katherine
Crowson's VQGAN+CLIP (arXiv 2204.08583) with the cutouts of its “updated” descendants
(github.com/nerdyrodent/VQGAN-CLIP), written anew from what these do.
"""

import copy
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from operator import truediv
from statistics import median
from time import perf_counter
from typing import Any

import kornia.augmentation as K
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from pixgen.bench.inputs import BenchModels, load_bench_models, open_clip_tower
from pixgen.models.clip.perceptor import Perceptor, Perceptors
from pixgen.models.fusion import unfuse_blocks
from pixgen.models.runtime import tensor_float32
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.recipe.init import Init
from pixgen.recipe.recipe import Recipe
from pixgen.recipe.settings import Growth
from pixgen.studio.model_cache import resolve_device
from pixgen.synthesis import Drawer, Optimization, make_drawer
from pixgen.synthesis.precision import clamp_with_grad, replace_grad, resolve_precision

_NOISE = 0.1
WARM_UP = 4
STAGES = ("decode", "cutouts", "clip", "backward", "rest")
_BACKWARD_STAGES = ("clip backward", "cutouts backward", "decode backward")
_MATRIX_SIDE = {"cpu": 1536, "cuda": 8192}  # large enough for the full rate, and quick


class PlainLoop:
    """Steps of the published recipe at a recipe's size, with its number of cutouts and its models.

    Args:
        vqgan: copied, with taming's own unfused blocks.
        perceptor: one CLIP, or several, each with separate cutouts.
        towers: the CLIPs' image towers as open_clip makes them, in the order of the perceptor's.
    """

    def __init__(
        self, recipe: Recipe, vqgan: Vqgan, perceptor: Perceptor | Perceptors, towers: list[nn.Module]
    ) -> None:
        members = list(getattr(perceptor, "members", None) or [perceptor])
        self._vqgan = copy.deepcopy(vqgan).to(memory_format=torch.contiguous_format)
        unfuse_blocks(self._vqgan)
        self._clips = list(zip(members, towers, strict=True))
        self._count = recipe.cutouts.count
        device, codebook = vqgan.codebook.device, vqgan.codebook
        with torch.no_grad():
            self._targets = [clip.embed_texts([recipe.scene(0)[0].text]) for clip in members]
        self._low, self._high = vqgan.bounds()
        codes = torch.randint(
            len(codebook),
            (-(-recipe.height // vqgan.factor), -(-recipe.width // vqgan.factor)),
            device=device,
        )
        self.latent = vqgan.lookup(codes[None]).contiguous().requires_grad_()
        self._optimizer = torch.optim.Adam([self.latent], lr=recipe.optimizer.learning_rate)
        self._disturb = nn.Sequential(
            K.RandomHorizontalFlip(p=0.5),
            K.ColorJitter(hue=0.01, saturation=0.01, p=0.7),
            K.RandomSharpness(0.3, p=0.4),
            K.RandomAffine(degrees=30, translate=0.1, p=0.8, padding_mode="border"),
            K.RandomPerspective(0.2, p=0.4),
        )

    def step(self) -> None:
        """One step: decode, cut, embed, and update the latent."""
        self._optimizer.zero_grad()
        picture = clamp_with_grad(self._vqgan.decoder(self._quantized()).add(1).div(2), 0.0, 1.0)
        losses = []
        for (clip, tower), target in zip(self._clips, self._targets, strict=True):
            cutouts = (self._cutouts(picture, clip.size) - clip.mean) / clip.std
            vectors = F.normalize(tower(cutouts).float(), dim=-1)
            distances = (vectors - target).norm(dim=-1).div(2).arcsin().square().mul(2)
            losses.append(distances.mean())
        sum(losses).backward()
        self._optimizer.step()
        with torch.no_grad():
            self.latent.copy_(self.latent.maximum(self._low).minimum(self._high))

    def _quantized(self) -> torch.Tensor:
        """The nearest codes, by the full distance matrix and a one-hot product."""
        book, places = self._vqgan.codebook, self.latent.movedim(1, 3)
        distances = places.square().sum(-1, keepdim=True) + book.square().sum(1) - 2 * places @ book.T
        chosen = F.one_hot(distances.argmin(-1), len(book)).to(book.dtype) @ book
        return self._vqgan.post_quant_conv(replace_grad(chosen, places).movedim(3, 1))

    def _cutouts(self, picture: torch.Tensor, size: int) -> torch.Tensor:
        """Augmented square cutouts of half to the whole of the shorter side, each resized separately."""
        height, width = picture.shape[2:]
        largest, cutouts = min(height, width), []
        smallest = largest // 2
        for _ in range(self._count):
            side = int(torch.rand(()) * (largest - smallest) + smallest)
            left = int(torch.randint(0, width - side + 1, ()))
            top = int(torch.randint(0, height - side + 1, ()))
            cutout = picture[:, :, top : top + side, left : left + side]
            cutouts.append(F.interpolate(cutout, size=(size, size), mode="bicubic", antialias=True))
        seen = self._disturb(torch.cat(cutouts))
        strength = torch.rand(self._count, 1, 1, 1, device=seen.device) * _NOISE
        return seen + strength * torch.randn_like(seen)


def speed(recipe: Recipe, *, steps: int, device: str = "auto") -> dict[str, Any]:
    """Median milliseconds over ``steps`` steps of a recipe, their ratio to the minimum of arithmetic, and the
    same for the plain float32 loop of the published notebooks, the two taking turns step by step.

    Models that are not downloaded get random weights; nothing is fetched. Raises
    PixgenError.
    """
    device = resolve_device(device)
    models = load_bench_models(recipe, device)
    # Sketching the starting point is not a step, so it is not measured.
    recipe = resolve_precision(recipe, torch.device(device)).model_copy(
        update={"steps": 2 * (WARM_UP + steps) + 1, "init": Init(), "grow": Growth()}
    )
    drawer = make_drawer(recipe, models.vqgan, device=device)
    stopwatch = _Stopwatch(device)
    optimization = Optimization(
        recipe,
        _TimedDrawer(drawer, stopwatch),
        _TimedPerceptor(models.perceptor, stopwatch),
        mark=stopwatch.mark,
    )
    plain = _plain_loop(recipe, models)
    # The same steps with kornia's AugmentationSequential, or with the fused warp if that is asked of kornia.
    other = {"fused": "kornia", "kornia": "fused"}[recipe.engine.augmentations]
    engine = recipe.engine.model_copy(update={"augmentations": other})
    other_engine = Optimization(
        recipe.model_copy(update={"engine": engine}),
        make_drawer(recipe, models.vqgan, device=device),
        models.perceptor,
    )
    product = _MatrixProduct(device, getattr(torch, recipe.precision))
    # Everything that is compared multiplies in the same precision.
    on_gpu = device.startswith("cuda")
    way = partial(tensor_float32, recipe.engine.tf32) if on_gpu else nullcontext
    timings, whole, products, plains, others = [], [], [], [], []
    for _ in range(WARM_UP + steps):  # in turns, so that other load slows all alike
        timings.append(stopwatch.measure(lambda: next(optimization)))
        whole.append(
            stopwatch.whole(lambda: next(optimization)) if stopwatch.waits else sum(timings[-1].values())
        )
        with way():
            products.append(product.seconds())
            plains.append(stopwatch.whole(plain.step))
        others.append(stopwatch.whole(lambda: next(other_engine)))
    timings, whole, products, plains, others = (
        each[WARM_UP:] for each in (timings, whole, products, plains, others)
    )
    kornia, fused = (others, whole) if other == "kornia" else (whole, others)
    operations = {
        "decode": _decode_operations(drawer),
        "clip": _clip_operations(models.perceptor, recipe.cutouts.count),
    }
    rate = product.operations / median(products)
    stages = {
        stage: 1000 * median(timing[stage] for timing in timings) for stage in STAGES + _BACKWARD_STAGES
    }
    back = {stage.split()[0]: stages.pop(stage) for stage in _BACKWARD_STAGES}
    stages["backward"] = sum(back.values())
    step, floor = 1000 * median(whole), 1000 * sum(operations.values()) / rate
    weights = models.bytes()
    return {
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "preset": recipe.preset,
        "model": recipe.model,
        "clip": list(recipe.clip_names),
        "random_weights": list(models.random),
        "size": f"{recipe.width}x{recipe.height}",
        "cutouts": recipe.cutouts.count,
        "precision": recipe.precision,
        "steps": steps,
        "step_ms": round(step, 3),
        "steps_a_second": round(1000 / step, 3),
        "stages_ms": {name: round(ms, 3) for name, ms in stages.items()},
        "backward_ms": {name: round(ms, 3) for name, ms in back.items()},
        "overhead_part": round((stages["cutouts"] + back["cutouts"] + stages["rest"]) / step, 4),
        "gflop": {name: round(count / 1e9, 3) for name, count in operations.items()},
        "matrix_gflop_a_second": round(rate / 1e9, 1),
        "multiplied_in": arithmetic_precision(recipe, device),
        "floor_ms": round(floor, 3),
        "times_the_floor": round(step / floor, 3),
        "part_of_the_matrix_rate": round(floor / step, 4),
        "peak_megabytes": _megabytes(weights + peak_bytes(lambda: next(optimization), device)),
        "plain": {
            "step_ms": round(1000 * median(plains), 3),
            "steps_a_second": round(1 / median(plains), 3),
            "part_of_the_matrix_rate": round(floor / 1000 / median(plains), 4),
            "peak_megabytes": _megabytes(weights + peak_bytes(plain.step, device)),
        },
        "times_the_plain_loop": round(median(map(truediv, plains, whole)), 3),
        "augmentations": recipe.engine.augmentations,
        "kornia_to_fused": round(median(map(truediv, kornia, fused)), 3),
    }


def text(figures: dict[str, Any]) -> str:
    """The measurements of ``speed`` as text."""
    step, stages, back = figures["step_ms"], figures["stages_ms"], figures["backward_ms"]
    plain, random = figures["plain"], ", ".join(figures["random_weights"])
    lines = [
        f"{figures['preset']} · {figures['size']} · {figures['cutouts']} cutouts · {figures['precision']}"
        f" · {figures['device']}, {figures['threads']} threads",
        *([f"{'':>10} with random weights: {random}"] if random else []),
        f"{'step':>10} {step:8.1f} ms   {_rates(figures)}",
        *(f"{name:>10} {ms:8.1f} ms   {ms / step:5.1%}" for name, ms in stages.items()),
        f"{'':>10} of backward: " + ", ".join(f"{name} {ms:.1f}" for name, ms in back.items()),
        f"{'floor':>10} {figures['floor_ms']:8.1f} ms   decode {figures['gflop']['decode']:.1f} + CLIP "
        f"{figures['gflop']['clip']:.1f} GFLOP at {figures['matrix_gflop_a_second']:.0f} GFLOP/s, "
        f"convolutions and matrices in {figures['multiplied_in']}",
        f"{'':>10} {figures['times_the_floor']:8.2f} times the floor",
        f"{'plain loop':>10} {plain['step_ms']:8.1f} ms   {_rates(plain)}",
        f"{'':>10} {figures['times_the_plain_loop']:8.2f} times as fast as the plain loop",
        f"{'':>10} {figures['kornia_to_fused']:8.2f} times as long with kornia's engine as with the fused warp",
    ]
    return "\n".join(lines)


def _rates(figures: dict[str, Any]) -> str:
    return (
        f"{figures['steps_a_second']:.1f} steps/s, {figures['part_of_the_matrix_rate']:.0%} of the "
        f"matrix rate, {figures['peak_megabytes']:.0f} MB at most"
    )


def _plain_loop(recipe: Recipe, models: BenchModels) -> PlainLoop:
    clips = getattr(models.perceptor, "members", [models.perceptor])
    towers = [open_clip_tower(name, clip) for name, clip in zip(recipe.clip_names, clips, strict=True)]
    return PlainLoop(recipe, models.vqgan, models.perceptor, towers)


def _megabytes(count: int) -> float:
    return round(count / 1e6, 1)


def arithmetic_precision(recipe: Recipe, device: str) -> str:
    """The precision in which the step and the matrix product multiply."""
    if device.startswith("cuda") and recipe.precision == "float32" and recipe.engine.tf32:
        return "TF32"
    return recipe.precision


def device_name(device: str) -> str:
    """The name of the device."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


class _MatrixProduct:
    """A product of two large square matrices, to time what the machine can do."""

    def __init__(self, device: str, precision: torch.dtype) -> None:
        side = _MATRIX_SIDE[device.partition(":")[0]]
        self._left, self._right = (torch.randn(side, side, device=device).to(precision) for _ in range(2))
        self._device, self.operations = device, 2 * side**3

    def seconds(self) -> float:
        """How long one product takes."""
        started = _synchronised_time(self._device)
        self._left @ self._right
        return _synchronised_time(self._device) - started


class _Stopwatch:
    """Seconds of each stage, from the marks that an optimization sets. On a GPU each mark ``waits`` for the
    device, so a whole step is timed separately, without marks."""

    def __init__(self, device: str) -> None:
        self._device, self._last = device, 0.0
        self._seconds: dict[str, float] = {}
        self._marking, self.waits = True, device.startswith("cuda")

    def mark(self, stage: str) -> None:
        """End a stage. The rest of the backward pass belongs to the decoder."""
        if not self._marking:
            return
        now = _synchronised_time(self._device)
        self._seconds["decode backward" if stage == "backward" else stage] += now - self._last
        self._last = now

    def measure(self, step: Callable[[], object]) -> dict[str, float]:
        """Seconds by stage of one step; what follows its last mark is ``rest``."""
        self._seconds, self._last = defaultdict(float), _synchronised_time(self._device)
        step()
        self.mark("rest")
        return self._seconds

    def whole(self, step: Callable[[], object]) -> float:
        """Seconds of one step, without waiting for its stages."""
        self._marking, begun = False, _synchronised_time(self._device)
        step()
        self._marking = True
        return _synchronised_time(self._device) - begun


class _TimedProxy:
    """A proxy that behaves as the object it wraps."""

    def __init__(self, watched: Any, stopwatch: _Stopwatch) -> None:
        self._watched, self._stopwatch = watched, stopwatch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._watched, name)

    def _mark_gradient(self, tensor: torch.Tensor, stage: str) -> torch.Tensor:
        """Mark the stage's end when the gradient has come back to this tensor."""
        if tensor.requires_grad:
            tensor.register_hook(lambda gradient: self._stopwatch.mark(stage))
        return tensor


class _TimedDrawer(_TimedProxy):
    """Marks the end of the backward pass through the cutouts, where the gradient enters the drawer."""

    def draw(self, *latent: torch.Tensor) -> torch.Tensor:
        return self._mark_gradient(self._watched.draw(*latent), "cutouts backward")


class _TimedPerceptor(_TimedProxy):
    """Marks the end of the backward pass through CLIP, where the gradient leaves it."""

    def embed_images(self, pictures: torch.Tensor) -> torch.Tensor:
        return self._watched.embed_images(self._mark_gradient(pictures, "clip backward"))


def _synchronised_time(device: str) -> float:
    """The time, once the device has finished its work."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return perf_counter()


def _decode_operations(drawer: Drawer) -> int:
    """Operations of decoding the picture and of the backward pass to the latent."""
    with FlopCounterMode(display=False) as counter, torch.enable_grad():
        drawer.draw().sum().backward()
    drawer.latent.grad = None
    return counter.get_total_flops()


def _clip_operations(perceptor, cutouts: int) -> int:
    """Operations of embedding the cutouts and of the backward pass to their pixels."""
    shape = (cutouts, 3, perceptor.size, perceptor.size)
    seen = torch.rand(shape, device=perceptor.device, requires_grad=True)
    with FlopCounterMode(display=False) as counter, torch.enable_grad():
        perceptor.embed_images(seen).sum().backward()
    return counter.get_total_flops()


def peak_bytes(work: Callable[[], object], device: str) -> int:
    """The peak memory that torch allocates during ``work``, beyond what it held before."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=False) as seen:
        work()
    held = most = 0
    events = seen.profiler.kineto_results.events()
    for event in sorted(events, key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most
