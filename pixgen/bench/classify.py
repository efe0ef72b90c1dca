"""Benchmark of classification: speed, agreement with open_clip, and calibration of the probabilities."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch

from pixgen.bench.inputs import save_pictures
from pixgen.models import load_perceptor
from pixgen.models.clip.perceptor import Perceptor
from pixgen.studio.model_cache import resolve_device
from pixgen.vision.zeroshot.batches import classify_all
from pixgen.vision.zeroshot.embeddings import embed_labels
from pixgen.vision.zeroshot.labels import DEFAULT_TEMPLATES, load_label_set, load_templates
from pixgen.vision.zeroshot.sources import collect_sources
from pixgen.vision.zeroshot.zeroshot import Question, make_classifier

_LABEL_SET = "cifar100"
_LABEL_COUNTS = (3, 10, 30)  # labels at once, one of them correct
_HELD_OUT = 1000  # pictures
_ROUNDS = 3  # of other wrong labels
_BINS = 15


def time_classification(folder: Path, perceptor: Perceptor, *, pictures: int) -> dict[str, Any]:
    """Wall and CPU seconds from files to answers with a hundred labels; embedding the labels is included."""
    save_pictures(folder, pictures)
    labels = load_label_set(_LABEL_SET).labels
    begun, busy = perf_counter(), process_time()
    question = Question(labels=labels, templates=load_templates(DEFAULT_TEMPLATES), or_else=True)
    classifier = make_classifier(perceptor, question)
    done = sum(len(batch) for batch in classify_all(perceptor, classifier, collect_sources([folder])))
    return {
        "pictures": done,
        "labels": len(labels),
        "seconds": round(perf_counter() - begun, 2),
        "processor_seconds": round(process_time() - busy, 2),
    }


def compare_with_open_clip(perceptor: Perceptor) -> float:
    """The largest difference of a hundred labels' vectors, in seven templates each, from those of
    ``open_clip.build_zero_shot_classifier``."""
    from open_clip import build_zero_shot_classifier

    labels, templates = load_label_set(_LABEL_SET).labels, load_templates("seven")
    ours = embed_labels(perceptor, labels, templates=templates)
    with torch.no_grad():
        theirs = build_zero_shot_classifier(
            perceptor.model, perceptor.tokenizer, labels, templates, device=perceptor.device
        )
    return float((ours - theirs.T.cpu()).abs().max())


def measure_calibration(data: Path, perceptor: Perceptor, *, seed: int = 7) -> list[dict[str, Any]]:
    """Accuracy of the most probable label, and how far its probability is from that.

    The latter is the expected calibration error (https://arxiv.org/abs/1706.04599) at the model's
    own temperature, over held-out pictures of one thing.
    """
    vectors, things = [], []
    with torch.no_grad():
        for thing, picture in _held_out(data, seed):
            things.append(thing)
            vectors.append(perceptor.embed_images(picture.to(perceptor.device)).cpu())
    names = sorted(set(things))
    read = embed_labels(perceptor, names, templates=load_templates(DEFAULT_TEMPLATES))
    scores = perceptor.logit_scale * torch.cat(vectors) @ read.T  # (pictures, names)
    right = torch.tensor([names.index(thing) for thing in things])
    return [_calibrate(scores, right, asked, seed) for asked in _LABEL_COUNTS]


def classify(*, pictures: int, model: str, data: Path | None, device: str = "auto") -> dict[str, Any]:
    """All measurements; calibration needs the drawings, which are not bundled. Raises PixgenError."""
    device = resolve_device(device)
    perceptor = load_perceptor([model], device)
    with TemporaryDirectory(prefix="pixgen-bench-") as folder:
        figures = time_classification(Path(folder, "pictures"), perceptor, pictures=pictures)
    return {
        "device": device,
        "model": model,
        "rate": figures,
        "from_open_clip": compare_with_open_clip(perceptor),
        "calibration": measure_calibration(data, perceptor) if data is not None else "needs --data FOLDER",
    }


def text(figures: dict[str, Any]) -> str:
    """The measurements of ``classify`` as text."""
    rate, calibration = figures["rate"], figures["calibration"]
    lines = [
        f"{figures['model']} · {figures['device']}",
        f"{rate['pictures']:,} pictures, {rate['labels']} labels: {rate['seconds']:.1f} s, "
        f"{rate['processor_seconds']:.1f} s of the processor",
        f"largest difference from open_clip's vectors of labels: {figures['from_open_clip']:.1e}",
    ]
    if isinstance(calibration, str):
        return "\n".join([*lines, f"calibration {calibration}"])
    line = "{labels} labels: right {right:.1%}, probability off by {off:.1%}"
    return "\n".join([*lines, *(line.format(**each) for each in calibration)])


def _calibrate(scores: torch.Tensor, right: torch.Tensor, asked: int, seed: int) -> dict[str, float]:
    chance = np.random.default_rng(seed)
    sure, hit = [], []
    for _ in range(_ROUNDS):
        # Any labels but the right one, which comes first.
        wrong = np.stack([chance.choice(scores.shape[1] - 1, asked - 1, replace=False) for _ in right])
        wrong = torch.from_numpy(wrong)
        wrong = wrong + (wrong >= right[:, None])
        shares = scores.gather(1, torch.cat([right[:, None], wrong], dim=1)).softmax(1)
        best = shares.max(1)
        sure.append(best.values)
        hit.append(best.indices == 0)
    sure, hit = torch.cat(sure), torch.cat(hit).float()
    bins = (sure * _BINS).long().clamp(max=_BINS - 1)
    off = sum(abs(float((sure[bins == place] - hit[bins == place]).sum())) for place in range(_BINS))
    return {
        "labels": asked,
        "right": round(float(hit.mean()), 4),
        "off": round(off / len(sure), 4),
    }


def _held_out(data: Path, seed: int) -> Iterator[tuple[str, torch.Tensor]]:
    """Things in combinations that no model was trained on, each with a picture ``(1, 3, H, W)`` of one thing."""
    from pixgen.training.compose.captions import CompositionSampler
    from pixgen.training.compose.composer import Composer

    composer = Composer(data, seed=seed)
    sampler = CompositionSampler(composer.table, seed=seed, split="held-out")
    found = 0
    while found < _HELD_OUT:
        composition = sampler.composition()
        if len(composition.layers) == 1 and not composition.filter:
            found += 1
            yield (
                composer.table[composition.layers[0].sprite]["thing"],
                composer.draw([composition]),
            )
