"""How the bundled models read a prompt: its tokens, what falls off the end, and words that they never saw."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from open_clip.tokenizer import SimpleTokenizer

from pixgen.errors import RecipeError
from pixgen.models.catalog import Kind, get_entry
from pixgen.models.checkpoints.safetensors import read_config
from pixgen.models.vocabulary import suggestions, unknown_words
from pixgen.recipe.prompts import Scene, parse
from pixgen.recipe.styles import Style, apply_styles
from pixgen.recipe.wildcards import draw_wildcards

POCKET = "pocket"
MOST_UNKNOWN = 4  # words that are told of
_MARKS = 2  # begin and end take a place each


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the pocket pair reads a prompt.

    Args:
        tokens: of its longest text.
        places: how many tokens of a text CLIP reads.
        lost: what CLIP does not read any more, for each text that is too long.
        unsketched: the same for the sketcher, which reads fewer; without what CLIP does not read either.
        unknown: words that no training caption had, each with known ones near it.
    """

    tokens: int = 0
    places: int = 0
    lost: tuple[str, ...] = ()
    unsketched: tuple[str, ...] = ()
    unknown: tuple[tuple[str, tuple[str, ...]], ...] = ()


def read_typed(text: str, *, styles: Sequence[Style] = ()) -> Reading:
    """How a prompt is read that is still being typed; an empty reading while it is none."""
    try:
        scenes = apply_styles(parse(draw_wildcards(text, 0)), styles)
    except RecipeError:
        return Reading(places=_places()[0])
    return read_scenes(scenes)


def read_scenes(scenes: Iterable[Scene], *, sketched: bool = True) -> Reading:
    """How prompts are read.

    Args:
        sketched: whether the sketcher reads them too.
    """
    places, sketchable = _places()
    texts = list(dict.fromkeys(prompt.text for scene in scenes for prompt in scene if prompt.text))
    most, lost, unsketched = 0, [], []
    for text in texts:
        words = text.split()
        ends = _ends(words)
        most = max(most, ends[-1] if ends else 0)
        read, sketchable_words = (sum(end <= limit for end in ends) for limit in (places, sketchable))
        if read < len(words):
            lost.append(" ".join(words[read:]))
        if sketched and sketchable_words < read:
            unsketched.append(" ".join(words[sketchable_words:read]))
    strange = unknown_words(" ".join(texts))[:MOST_UNKNOWN]
    return Reading(
        tokens=most,
        places=places,
        lost=tuple(lost),
        unsketched=tuple(unsketched),
        unknown=tuple((word, suggestions(word)) for word in strange),
    )


def _ends(words: Sequence[str]) -> list[int]:
    """How many tokens there are up to the end of each word."""
    total, ends = 0, []
    for word in words:
        total += _count(word)
        ends.append(total)
    return ends


def _config(kind: Kind) -> Path:
    """Where the config of a bundled model is."""
    config = get_entry(POCKET, kind).config
    assert config is not None, "a bundled model has one"
    return config


@cache
def _places() -> tuple[int, int]:
    """How many tokens of a text CLIP reads, and how many the sketcher."""
    context = read_config(_config("clip"))["model_cfg"]["text_cfg"]["context_length"]
    sketcher = read_config(_config("sketcher"))
    return context - _MARKS, sketcher["model"]["places"]


@cache
def _tokenizer() -> SimpleTokenizer:
    config = _config("clip")
    return SimpleTokenizer(str(config.parent / read_config(config)["vocabulary"]))


def _count(word: str) -> int:
    return len(_tokenizer().encode(word[:200]))
