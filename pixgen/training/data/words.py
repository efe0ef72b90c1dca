"""The tokenizer's vocabulary, and the list of words that the bundled models know.

The tokenizer is byte-pair encoding learned from captions, in the file format of CLIP's own. The words are those of
all captions and those by which exemplars are found, so that the page can name unknown words.
"""

import gzip
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from pixgen.models.vocabulary import split_words
from pixgen.synthesis.retrieval.parse_scene import ABOVE, BELOW, HOLDING, RIDING, WEARING
from pixgen.training.compose.captions import CompositionSampler
from pixgen.training.compose.painters import COLOURS
from pixgen.training.compose.phrases import (
    BOTTOM_WORDS,
    FILLERS,
    FILTERS,
    LARGE,
    LEFT_WORDS,
    MEDIA,
    PATTERNS,
    RIGHT_WORDS,
    SMALL,
    STYLES,
    TOP_WORDS,
    plural,
)
from pixgen.training.compose.places import PLACES, SETTINGS
from pixgen.training.data.own import own_things
from pixgen.training.data.word_senses import OTHER_NAMES

CAPTIONS = 200_000


def learn_vocabulary(sampler: CompositionSampler, path: Path, *, size: int, captions: int = CAPTIONS) -> None:
    """Write at most ``size`` tokens' worth of merges to ``path`` (gzip), as open_clip's tokenizer
    reads them: a heading, then one merge a line, no line end after the last.
    """
    words = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    # 256 bytes, the same at the end of a word, and two special tokens stand before the merges.
    trainer = trainers.BpeTrainer(
        vocab_size=size - 514 + 80, end_of_word_suffix="</w>", min_frequency=3, show_progress=False
    )
    words.train_from_iterator(_texts(sampler, captions), trainer)
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    words.model.save(str(folder), "learned")
    merges = (folder / "learned-merges.txt").read_text("utf-8").splitlines()
    merges = [merge for merge in merges if not merge.startswith("#")][: size - 514]
    for name in ("learned-merges.txt", "learned-vocab.json"):
        (folder / name).unlink()
    lines = "\n".join(["# pixgen pocket vocabulary", *merges])
    path.write_bytes(gzip.compress(lines.encode("utf-8"), mtime=0))


def _texts(sampler: CompositionSampler, captions: int):
    for record in sampler.table:
        yield " ".join((record["thing"], *record["names"]))
    for _ in range(captions):
        yield sampler.composition().caption


# What captions put between their parts: see captions.py.
BETWEEN = (
    "a", "an", "the", "of", "on", "and", "next to", "above", "to the left of", "on the left",
    "on the right", "two", "three", "background",
)  # fmt: skip


def caption_words(table: Iterable[dict]) -> list[str]:
    """The words of every caption that can be written about the drawings of a table, sorted."""
    names = [name for record in table for name in (record["thing"], *record["names"])]
    phrases = [
        *BETWEEN, *COLOURS, *FILLERS, *MEDIA, *PATTERNS, *LEFT_WORDS, *RIGHT_WORDS, *TOP_WORDS,
        *BOTTOM_WORDS, *SMALL, *LARGE, *names, *map(plural, names),
    ]  # fmt: skip
    for several in (*STYLES.values(), *FILTERS.values()):
        phrases += several
    for _, there, alone in SETTINGS.values():
        phrases += [*there, *alone]
    return _sorted_words(phrases)


def exemplar_words() -> list[str]:
    """The words by which the sketcher's memory finds a thing or a place that no caption names, and by which it
    puts one thing to another; sorted."""
    names = [*own_things(), *(name for also in OTHER_NAMES.values() for name in also)]
    places = (word for words in PLACES.values() for word in words)
    return _sorted_words([*names, *map(plural, names), *places, *ABOVE, *BELOW, *HOLDING, *RIDING, *WEARING])


def _sorted_words(phrases: Iterable[str]) -> list[str]:
    return sorted({word for phrase in phrases for word in split_words(phrase)})


def write_words(table: Iterable[dict], path: Path) -> int:
    """Write the words, one a line; how many they are."""
    words = sorted({*caption_words(table), *exemplar_words()})
    path.write_text("\n".join(words) + "\n", "utf-8")
    return len(words)
