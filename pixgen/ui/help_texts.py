"""The words of the help with prompts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HelpWords:
    """What is said below the prompt while it is typed."""

    title: str = "How the models read it"
    tokens: str = "{tokens} of {places} tokens"
    lost: str = "CLIP reads no further than here; this is left out: “{text}”"
    unsketched: str = "The sketcher does not read as far as “{text}”."
    unknown: str = "The bundled models have never seen “{word}”."
    instead: str = "Perhaps"
    replace: str = "Write “{known}” instead of “{word}”"
    lists: str = "One of a list, drawn by the seed:"
    insert: str = "Write {list}"
