"""Checks a prompt against the bundled models: token count, truncated text and words outside their vocabulary."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from open_clip.tokenizer import SimpleTokenizer

from pixgen.errors import RecipeError
from pixgen.models.catalog import Kind, get_entry
from pixgen.models.checkpoints.safetensors import read_config
from pixgen.models.vocabulary import suggestions, unknown_words
from pixgen.recipe.prompts import Scene, parse, replace_texts, texts_of
from pixgen.recipe.styles import Style, apply_styles
from pixgen.recipe.wildcards import draw_wildcards
from pixgen.translation import Translation, translate

POCKET = "pocket"
MAX_UNKNOWN_WORDS = 4  # words that are reported
LONGEST_CHECKED = 10_000  # characters that are checked while they are typed
_MARKS = 2  # the start and end tokens


@dataclass(frozen=True, kw_only=True)
class PromptCheck:
    """How the bundled models read a prompt.

    Args:
        tokens: the tokens of the longest text.
        limit: how many tokens of a text CLIP reads.
        truncated: for each text that is too long, the end that CLIP does not read.
        truncated_for_sketch: the same for the sketch model, which reads fewer tokens; without the text
            that CLIP does not read either.
        unknown: words outside the vocabulary, each with similar known words; for a text in another
            language, its words that were not understood.
        translations: the texts in another language, with the English that the models read.
    """

    tokens: int = 0
    limit: int = 0
    truncated: tuple[str, ...] = ()
    truncated_for_sketch: tuple[str, ...] = ()
    unknown: tuple[tuple[str, tuple[str, ...]], ...] = ()
    translations: tuple[tuple[str, Translation], ...] = ()


def check_typed_prompt(text: str, *, styles: Sequence[Style] = ()) -> PromptCheck:
    """Check a prompt while it is being typed; empty while it is not valid, or if it is very long."""
    if len(text) > LONGEST_CHECKED:
        return PromptCheck(limit=_places()[0])
    try:
        typed = parse(draw_wildcards(text, 0))
        found = {text: translate(text) for text in texts_of(typed)}
        translations = {text: each for text, each in found.items() if each}
        english = {text: each.text for text, each in translations.items()}
        scenes = apply_styles(replace_texts(typed, english), styles)
    except RecipeError:
        return PromptCheck(limit=_places()[0])
    return replace(check_scenes(scenes), translations=tuple(translations.items()))


def check_scenes(scenes: Iterable[Scene], *, sketched: bool = True) -> PromptCheck:
    """Check the prompts of scenes.

    Args:
        sketched: whether the sketch model reads them too.
    """
    places, sketchable = _places()
    texts = texts_of(scenes)
    most, truncated, truncated_for_sketch = 0, [], []
    for text in texts:
        words = text.split()
        ends = _ends(words)
        most = max(most, ends[-1] if ends else 0)
        read, sketchable_words = (sum(end <= limit for end in ends) for limit in (places, sketchable))
        if read < len(words):
            truncated.append(" ".join(words[read:]))
        if sketched and sketchable_words < read:
            truncated_for_sketch.append(" ".join(words[sketchable_words:read]))
    unknown = unknown_words(" ".join(texts))[:MAX_UNKNOWN_WORDS]
    return PromptCheck(
        tokens=most,
        limit=places,
        truncated=tuple(truncated),
        truncated_for_sketch=tuple(truncated_for_sketch),
        unknown=tuple((word, suggestions(word)) for word in unknown),
    )


def _ends(words: Sequence[str]) -> list[int]:
    """The number of tokens up to the end of each word."""
    total, ends = 0, []
    for word in words:
        total += _count(word)
        ends.append(total)
    return ends


def _config(kind: Kind) -> Path:
    """The config file of a bundled model."""
    config = get_entry(POCKET, kind).config
    assert config is not None, "a bundled model has one"
    return config


@cache
def _places() -> tuple[int, int]:
    """How many tokens of a text CLIP and the sketch model read."""
    context = read_config(_config("clip"))["model_cfg"]["text_cfg"]["context_length"]
    sketcher = read_config(_config("sketcher"))
    return context - _MARKS, sketcher["model"]["places"]


@cache
def _tokenizer() -> SimpleTokenizer:
    config = _config("clip")
    return SimpleTokenizer(str(config.parent / read_config(config)["vocabulary"]))


def _count(word: str) -> int:
    return len(_tokenizer().encode(word[:200]))
