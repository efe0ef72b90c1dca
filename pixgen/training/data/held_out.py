"""Write the captions of the quality benchmark: held out of training, all with different meanings."""

import json
from pathlib import Path

from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.composer import Composition
from pixgen.training.compose.painters import COLOURS
from pixgen.training.compose.places import SETTINGS

COUNT = 100
SEED = 2026


def write_held_out(sampler: CompositionSampler, path: Path) -> None:
    """Write ``COUNT`` captions of a held-out sampler as a JSON list, in random order."""
    captions: dict[tuple, str] = {}
    while len(captions) < COUNT:
        composition = sampler.composition()
        if _names_its_combination(sampler, composition):
            captions.setdefault(composition.meaning, composition.caption)
    path.write_text(json.dumps(list(captions.values()), indent=1) + "\n")


def _names_its_combination(sampler: CompositionSampler, composition: Composition) -> bool:
    """Whether the caption names its things, and the place or colour that they were never combined with in
    training."""
    things = {sampler.table[layer.sprite]["thing"] for layer in composition.layers}
    named = any(part in SETTINGS or part in COLOURS for part in composition.meaning)
    return bool(things) and named and all(thing in composition.caption for thing in things)
