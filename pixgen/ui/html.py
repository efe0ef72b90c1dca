"""The page's own small pieces of HTML."""

from collections.abc import Sequence
from html import escape

from pixgen.ui.texts import Words

_MARK = (
    '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M0 0h4v4H0zM8 4h4v4H8zM4 8h4v4H4z"/>'
    '<path d="M4 0h4v4H4zM0 8h4v4H0z" opacity=".55"/><path d="M4 4h4v4H4zM8 0h4v4H8z" opacity=".25"/></svg>'
)
_SIDE = (
    '<svg viewBox="0 0 20 20" aria-hidden="true"><rect x="2" y="3.2" width="16" height="13.6" rx="3"/>'
    '<path d="M12.4 3.2v13.6"/></svg>'
)
_HERE = ' aria-current="page"'


def header(words: Words, languages: Sequence[tuple[Words, str]] = ()) -> str:
    """The name, what it is for, the languages with their addresses, the keys, and the side bar's button."""
    keys = "".join(
        f"<li>{''.join(f'<kbd>{escape(key)}</kbd>' for key in combination.split())} {escape(does)}</li>"
        for combination, does in words.keys
    )
    return (
        f'<header class="pg-header" data-language="{words.language}">'
        f"<h1>{_MARK}<span>{escape(words.title)}</span></h1>"
        f"<p>{escape(words.tagline)}</p>{_languages(words, languages)}"
        f"<details><summary>{escape(words.keys_title)}</summary><ul>{keys}</ul></details>"
        f"{_side_toggle(words.gallery.pictures)}</header>"
    )


def _side_toggle(said: str) -> str:
    return (
        f'<button type="button" id="pg-side-toggle" aria-controls="pg-side" aria-expanded="false" '
        f'aria-label="{escape(said)}" title="{escape(said)}">{_SIDE}</button>'
    )


def _languages(words: Words, languages: Sequence[tuple[Words, str]]) -> str:
    links = "".join(
        f'<a href="{escape(address)}" lang="{each.language}" hreflang="{each.language}"'
        f"{_HERE if each is words else ''}>{escape(each.language_name)}</a>"
        for each, address in languages
    )
    return f'<nav aria-label="{escape(words.languages)}">{links}</nav>' if links else ""


def grammar(words: Words, grammar: tuple[tuple[str, str], ...] | None = None) -> str:
    """How to write prompts, or something else, folded."""
    rows = "".join(
        f"<dt><code>{escape(code)}</code></dt><dd>{escape(does)}</dd>"
        for code, does in grammar or words.grammar
    )
    return f'<details class="pg-grammar"><summary>{escape(words.grammar_title)}</summary><dl>{rows}</dl></details>'


def heading(text: str) -> str:
    """A quiet heading inside a column."""
    return f'<h3 class="pg-heading">{escape(text)}</h3>'


def note(text: str) -> str:
    """A quiet sentence inside a column."""
    return f'<p class="pg-note">{escape(text)}</p>'


def brush_help(words: Words) -> str:
    """What to do with the brush; page.css shows it while the brush is out."""
    return f'<p class="pg-brush-help">{escape(words.change_part_help)}</p>'
