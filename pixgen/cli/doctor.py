"""``pixgen doctor``: what this machine has, which presets will run on it, and what is missing."""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pixgen.cli._options import MODELS, AsJson, Device, OutputDir, example
from pixgen.cli._outputs import print_table

PACKAGES = ("gradio", "torch", "torchvision", "open_clip_torch", "kornia", "imageio-ffmpeg", "lancedb")
SMALLEST_FREE = 1_000_000_000  # bytes on the disk: a few hundred runs


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        state: "ok", "note" for what works less well, "problem" for what does not work.
    """

    what: str
    state: Literal["ok", "note", "problem"]
    text: str


@example("pixgen doctor")
def doctor(
    device: Device = "auto",
    output_dir: OutputDir = None,
    models_too: Annotated[
        bool,
        typer.Option(
            "--models", help="List the models that presets need and are not here yet.", rich_help_panel=MODELS
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check this machine: packages, device, memory, disk, ffmpeg, models, and what runs well here.

    Nothing is downloaded. Exit status 1 if something does not work.
    """
    findings = list(examine(device, output_dir, models_too=models_too))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in findings], ensure_ascii=False))
    else:
        print_table(("what", "state", "details"), [(each.what, each.state, each.text) for each in findings])
    if any(each.state == "problem" for each in findings):
        raise typer.Exit(1)


def examine(device: str, output_dir: Path | None, *, models_too: bool = False) -> Iterator[Finding]:
    """Every finding, in the order of the report. Raises DeviceError if there is no such device."""
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield _packages()
    name = yield from _device(device)
    yield from _folder(output_dir)
    yield from _storage(output_dir)
    yield _ffmpeg()
    yield from _presets(name, models_too=models_too)


def _packages() -> Finding:
    found, missing = [], []
    for name in ("pixgen", *PACKAGES):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            if name != "pixgen":  # run from a clone, it need not be installed
                missing.append(name)
    if missing:
        text = f"missing: {', '.join(missing)}. Run `pip install -r requirements.txt`."
        return Finding("packages", "problem", text)
    return Finding("packages", "ok", ", ".join(found))


def _device(name: str) -> Iterator[Any]:
    """The device's findings; returns its name."""
    import torch

    from pixgen.studio.memory_check import format_bytes, free_bytes
    from pixgen.studio.model_cache import resolve_device
    from pixgen.studio.workers.zerogpu import has_zero_gpu

    if has_zero_gpu():
        text = "lent by Hugging Face for up to a minute at a time; fewer than 16 pictures are classified on the CPU"
        yield Finding("zerogpu", "ok", text)
        name = "cpu"
    resolved = resolve_device(name)
    free = free_bytes(resolved)
    memory = f", {format_bytes(free)} of memory free" if free is not None else ""
    if resolved.startswith("cuda"):
        properties = torch.cuda.get_device_properties(resolved)
        half = "bfloat16 and float16" if torch.cuda.is_bf16_supported() else "float16"
        yield Finding("device", "ok", f"{resolved}: {properties.name}{memory}; {half}")
        return resolved
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    kind = torch.backends.cpu.get_cpu_capability()
    yield Finding("device", "ok", f"cpu: {cores} cores, {torch.get_num_threads()} threads, {kind}{memory}")
    if torch.cuda.is_available():
        yield Finding("gpu", "note", "there is one, which --device cpu does not use")
    elif shutil.which("nvidia-smi"):
        text = f"there is an NVIDIA driver, but torch {torch.__version__} does not use it: install its CUDA build"
        yield Finding("gpu", "note", text)
    else:
        text = "none: the bundled models paint in seconds on the CPU, full-size models in minutes to hours"
        yield Finding("gpu", "note", text)
    return resolved


def _folder(output_dir: Path | None) -> Iterator[Finding]:
    """Whether the output folder can be written, and the space on its disk."""
    from pixgen.paths import output_folder
    from pixgen.studio.memory_check import format_bytes

    folder = output_folder(output_dir).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        text = f"{folder} cannot be written ({error.strerror}): choose another with --output-dir"
        yield Finding("output folder", "problem", text)
        return
    free = shutil.disk_usage(there).free
    text = f"{folder}, {format_bytes(free)} free"
    yield Finding("output folder", "ok" if free >= SMALLEST_FREE else "note", text)


def _storage(output_dir: Path | None) -> Iterator[Finding]:
    """Whether the object store of ``$PIXGEN_STORAGE`` answers, and how many runs are not copied to it yet."""
    from pixgen.errors import PixgenError
    from pixgen.paths import output_folder
    from pixgen.studio.store.store import compare_with_store

    if not (address := os.environ.get("PIXGEN_STORAGE", "")):
        return
    try:
        stored, waiting = compare_with_store(output_folder(output_dir), address)
    except PixgenError as error:
        yield Finding("storage", "problem", str(error))
        return
    text = f"{address}, {stored} runs"
    if waiting:
        text += (
            f"; {waiting} of this folder are not copied yet: a page, or any command that paints, copies them"
        )
    yield Finding("storage", "note" if waiting else "ok", text)


def _ffmpeg() -> Finding:
    from pixgen.errors import PixgenError
    from pixgen.studio.video.ffmpeg import imageio_ffmpeg

    try:
        path = imageio_ffmpeg().get_ffmpeg_exe()
    except (PixgenError, RuntimeError):
        text = "missing: pictures are painted, videos are not written. Run `pip install imageio-ffmpeg`."
        return Finding("ffmpeg", "problem", text)
    return Finding("ffmpeg", "ok", str(path))


def _presets(device: str, *, models_too: bool) -> Iterator[Finding]:
    """Whether each preset fits the memory, and which models it needs first."""
    from pixgen.models.registry import ready_names
    from pixgen.recipe.presets import available_presets
    from pixgen.studio.memory_check import format_bytes, free_bytes

    ready, free = set(ready_names()), free_bytes(device)
    missing: dict[str, list[str]] = {}
    runs, too_large = [], []
    for preset in available_presets().values():
        needed = (preset.estimated_megabytes or 0) * 1_000_000
        if free is not None and needed > free:
            too_large.append(f"{preset.name} ({format_bytes(needed)})")
        elif away := [each for each in preset.models if each not in ready]:
            missing[preset.name] = away
        else:
            runs.append(preset.name)
    yield Finding("presets", "ok" if runs else "problem", f"ready: {', '.join(runs)}")
    if missing:
        names = sorted({name for each in missing.values() for name in each})
        text = f"{', '.join(missing)}: download their models first"
        if models_too:
            text += f", `pixgen models fetch {' '.join(names)}`"
        yield Finding("presets", "note", text)
    if too_large:
        text = f"too large for the free memory: {', '.join(too_large)}; they run in smaller batches, slowly"
        yield Finding("presets", "note", text)
