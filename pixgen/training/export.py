"""Export trained models from their checkpoints into the form that pixgen loads, and draw the model card's sheet."""

import json
import shutil
from pathlib import Path

import torch
from open_clip.model import CLIP
from PIL import Image

from pixgen.errors import TrainingError
from pixgen.models.checkpoints.safetensors import save_weights
from pixgen.models.sketchers.pocket import Sketcher
from pixgen.models.upscalers import PocketUpscaler
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.synthesis.tensors import to_pixels
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.composer import Composer, sheet
from pixgen.training.models.clip import MEAN, STD

VOCABULARY = "vocabulary.txt.gz"


def export_vqgan(checkpoint: Path, assets: Path, *, name: str = "vqgan") -> Vqgan:
    """Write ``NAME.json`` and ``NAME.safetensors`` from a training's checkpoint; returns the model."""
    state = _read(checkpoint)
    model = Vqgan(json.loads(state["config"]))
    model.load_state_dict(state["average"])
    save_weights(model, assets / f"{name}.safetensors")
    _write(assets / f"{name}.json", {"model": json.loads(state["config"])})
    return model.eval()


def export_clip(checkpoint: Path, vocabulary: Path, assets: Path, *, name: str = "clip") -> None:
    """Write ``NAME.json``, ``NAME.safetensors`` and the vocabulary from a training's checkpoint.

    The JSON is an open_clip config (``model_cfg``, ``preprocess_cfg``) with the vocabulary's name.
    """
    state = _read(checkpoint)
    config = json.loads(state["config"])
    model = CLIP(**config)
    model.load_state_dict(state["average"])
    save_weights(model, assets / f"{name}.safetensors")
    shutil.copyfile(vocabulary, assets / VOCABULARY)
    content = {
        "model_cfg": config,
        "preprocess_cfg": {"mean": MEAN, "std": STD},
        "vocabulary": VOCABULARY,
    }
    _write(assets / f"{name}.json", content)


def export_sketcher(checkpoint: Path, assets: Path) -> None:
    """Write ``sketcher.json`` and ``sketcher.safetensors`` from a training's checkpoint."""
    state = _read(checkpoint)
    config = json.loads(state["config"])
    model = Sketcher(config)
    model.load_state_dict(state["average"])
    save_weights(model, assets / "sketcher.safetensors")
    _write(assets / "sketcher.json", {"model": config})


def export_enlarger(checkpoint: Path, assets: Path) -> None:
    """Write ``enlarger.json`` and ``enlarger.safetensors`` from a training's checkpoint."""
    state = _read(checkpoint)
    config = json.loads(state["config"])
    model = PocketUpscaler(**config)
    model.load_state_dict(state["average"])
    save_weights(model, assets / "enlarger.safetensors")
    _write(assets / "enlarger.json", {"model": config})


def _read(checkpoint: Path) -> dict:
    if not checkpoint.exists():
        raise TrainingError(
            "There is no checkpoint {checkpoint}: train the model first.", checkpoint=checkpoint
        )
    return torch.load(checkpoint, map_location="cpu", weights_only=True)


def _write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")


COLUMNS = 8


@torch.no_grad()
def save_reconstructions(model: Vqgan, data: Path, path: Path, *, rows: int = 3, seed: int = 5) -> None:
    """Write ``rows`` pairs of rows: pictures, and below each its reconstruction from codes."""
    composer = Composer(data, seed=seed)
    sampler = CompositionSampler(composer.table, seed=seed, split="held-out")
    shown = []
    for _ in range(rows):
        pictures = composer.draw(sampler.compositions(COLUMNS))
        drawn = model.decode(model.nearest(model.encode(pictures))).clamp(0, 1)
        shown += [pictures, drawn]
    Image.fromarray(to_pixels(sheet(torch.cat(shown), COLUMNS))).save(path)
