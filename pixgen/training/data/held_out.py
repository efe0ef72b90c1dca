"""Write the captions of the quality benchmark: held out of training, all of different meaning."""

import json
from pathlib import Path

from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.composer import Composition
from pixgen.training.compose.painters import COLOURS
from pixgen.training.compose.places import SETTINGS

COUNT = 100
SEED = 2026


def write_held_out(sampler: CompositionSampler, path: Path) -> None:
    """Write ``COUNT`` captions of a held-out author as a JSON list, in the order of chance."""
    captions: dict[tuple, str] = {}
    while len(captions) < COUNT:
        composition = sampler.composition()
        if _names_its_combination(sampler, composition):
            captions.setdefault(composition.meaning, composition.caption)
    path.write_text(json.dumps(list(captions.values()), indent=1) + "\n")


def _names_its_combination(sampler: CompositionSampler, composition: Composition) -> bool:
    """Whether the caption names its things by their own names, and the place or colour with which
    they were never seen."""
    things = {sampler.table[layer.sprite]["thing"] for layer in composition.layers}
    named = any(part in SETTINGS or part in COLOURS for part in composition.meaning)
    return bool(things) and named and all(thing in composition.caption for thing in things)
