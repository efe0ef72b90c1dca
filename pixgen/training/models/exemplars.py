"""Exemplars for the sketch model: a drawing of each thing as codes of the VQGAN, and the names that find it."""

import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from pixgen.models.sketchers.pocket import CODES_FILE, LEXICON_FILE, SOLID
from pixgen.models.vqgan.vqgan import Vqgan
from pixgen.synthesis.retrieval.compositing import paper_mask
from pixgen.training.compose.canonical_style import NAMED_GROUPS, USUAL_SCALE, CanonicalStyle
from pixgen.training.compose.captions import (
    BOTTOM_WORDS,
    FILLERS,
    FILTERS,
    LARGE,
    LEFT_WORDS,
    RIGHT_WORDS,
    SMALL,
    THING_STYLES,
    TOP_WORDS,
    CompositionSampler,
)
from pixgen.training.compose.composer import Composer, Composition, Layer, place_sprites
from pixgen.training.compose.painters import COLOURS
from pixgen.training.compose.places import PLACES, SETTINGS
from pixgen.training.data.drawings import GROUP, own_drawings
from pixgen.training.data.words import A_BEGINNING, sense_of_name

FLAGS = "emoji-9"
LETTERED = {"emoji-8", "clipart-office"}  # never mirrored
SECOND_FAMILIES = ("fluent-flat", "noto", "emojione")  # families of a second exemplar
DRAWN_SHARE, PAPER_SHARE = 0.9, 0.2  # shares of a code's square: drawn, and mistaken for paper
WEARABLE = ("hat", "top hat", "cap", "billed cap", "baseball cap", "crown", "helmet", "military helmet",
        "rescue workers helmet", "graduation cap", "womans hat", "purple hat")  # fmt: skip
ALONE = Layer(0, 0.5, 0.5, USUAL_SCALE)  # how pixgen's own drawings are placed


def write_exemplars(data: Path, vqgan: Vqgan, folder: Path) -> int:
    """Write all exemplars and the lexicon that finds them; returns their number."""
    composer = Composer(data)
    sampler = CompositionSampler(composer.table, seed=0)
    groups = _groups(composer.table)
    drawn: list[Composition] = []
    places: dict[str, list[int]] = {}
    for thing, exemplar in CanonicalStyle(sampler).exemplars().items():
        if groups[thing] == FLAGS:
            continue
        second = _second_exemplar(thing, exemplar, sampler) if groups[thing] in NAMED_GROUPS else ()
        both = [exemplar, *second]
        places[thing] = list(range(len(drawn), len(drawn) + len(both)))
        drawn += both
    packed = [_encode_compositions(vqgan, composer, drawn[at : at + 32]) for at in range(0, len(drawn), 32)]
    count = len(drawn)
    for thing, sprite in own_drawings():
        groups[thing], places[thing] = GROUP, [count]
        packed.append(_encode_on_paper(vqgan, sprite))
        count += 1
    with lzma.open(folder / CODES_FILE, "wb") as file:  # a quarter smaller than as npz
        np.save(file, torch.cat(packed).numpy().astype(np.uint16))
    names = sense_of_name(composer.table, groups, places)
    lexicon = {
        "names": {
            name: [place for thing in things for place in places[thing]]
            for name, (_, things) in sorted(names.items())
        },
        "weak": sorted(name for name, (kind, _) in names.items() if kind >= A_BEGINNING),
        "lettered": [place for thing in places if groups[thing] in LETTERED for place in places[thing]],
        "worn": sorted(
            {place for name in WEARABLE for thing in names.get(name, (0, ()))[1] for place in places[thing]}
        ),
        "colours": COLOURS,
        "small": SMALL,
        "large": LARGE,
        "fillers": FILLERS,
        "places": {"left": LEFT_WORDS, "right": RIGHT_WORDS, "top": TOP_WORDS, "bottom": BOTTOM_WORDS},
        "hands": {
            said: style
            for style, phrases in (FILTERS | THING_STYLES).items()
            for said in phrases
            if said != "shadow"
        },
        "grounds": {
            phrase: alone[0]
            for setting, (_, there, alone) in SETTINGS.items()
            for phrase in (*PLACES.get(setting, ()), *there, *alone)
        },
    }
    (folder / LEXICON_FILE).write_text(json.dumps(lexicon, separators=(",", ":")), "utf-8")
    return count


def _groups(table: Sequence[dict]) -> dict[str, str]:
    """The group of each thing: that of its emoji, if there is one."""
    found: dict[str, str] = {}
    for record in table:
        if record["group"].startswith("emoji") or record["thing"] not in found:
            found[record["thing"]] = record["group"]
    return found


def _second_exemplar(thing: str, exemplar: Composition, sampler: CompositionSampler) -> Iterator[Composition]:
    hands = {
        sampler.table[index]["family"]: index
        for index in range(len(sampler.table))
        if sampler.table[index]["thing"] == thing and index not in sampler.unseen
    }
    layer = exemplar.layers[0]
    for family in SECOND_FAMILIES:
        if family in hands and hands[family] != layer.sprite:
            yield replace(exemplar, layers=(replace(layer, sprite=hands[family]),))
            return


def _encode_compositions(vqgan: Vqgan, composer: Composer, drawn: Sequence[Composition]) -> torch.Tensor:
    opacity = composer.layers([each.layers[0] for each in drawn])[:, 3:]
    return _encode_exemplars(vqgan, composer.draw(list(drawn)), opacity)


def _encode_on_paper(vqgan: Vqgan, sprite: np.ndarray) -> torch.Tensor:
    layer = place_sprites(torch.from_numpy(sprite)[None].float() / 255, [ALONE])
    return _encode_exemplars(vqgan, 1 - layer[:, 3:] + layer[:, :3], layer[:, 3:])


@torch.no_grad()
def _encode_exemplars(vqgan: Vqgan, pictures: torch.Tensor, opacity: torch.Tensor) -> torch.Tensor:
    """Codes of exemplars ``(N, grid, grid)``, with ``SOLID`` where they are so pale that they would be
    taken for paper.

    Args:
        pictures: things alone on white, ``(N, 3, H, W)`` in [0, 1].
        opacity: of the things, ``(N, 1, H, W)``.
    """
    codes = vqgan.codes(vqgan.encode(pictures.clamp(0, 1).to(vqgan.codebook.device)))
    there = F.avg_pool2d(opacity, vqgan.factor)[:, 0] > DRAWN_SHARE
    decoded = vqgan.decode(vqgan.lookup(codes)).float().clamp(0, 1)
    taken = torch.cat([paper_mask(each[None]) for each in decoded])
    lost = F.avg_pool2d(taken, vqgan.factor)[:, 0].cpu() > PAPER_SHARE
    return codes.cpu() + SOLID * (there & lost)
