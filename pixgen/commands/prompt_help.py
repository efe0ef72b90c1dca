"""What to know of a prompt before it is painted, in a line: words never seen, and what is not read."""

from collections.abc import Iterable

from pixgen.recipe import Recipe

_LONGEST = 60  # characters of what is not read


def reading_notes(recipe: Recipe) -> Iterable[str]:
    """A sentence at most about how the bundled models read a recipe's prompts; none where others look."""
    if "pocket" not in recipe.clip_names:
        return
    from pixgen.studio.prompt_help import read_scenes

    reading = read_scenes(recipe.prompts, sketched=_by_pocket(recipe))
    said = []
    if reading.unknown:
        words = (
            f"“{word}”" + (f" (near: {', '.join(near)})" if near else "")
            for word, near in reading.unknown
        )
        said.append(f"the bundled models have never seen {', '.join(words)}")
    if reading.lost:
        said.append(f"CLIP reads {reading.places} tokens, and not “{_short(reading.lost[0])}”")
    if reading.unsketched:
        said.append(f"the sketcher does not read “{_short(reading.unsketched[0])}”")
    if said:
        yield f"Note: {'; '.join(said)}."


def _by_pocket(recipe: Recipe) -> bool:
    return recipe.start.sketched and recipe.start.sketch.model == "pocket"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
