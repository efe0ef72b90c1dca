"""Small pieces of the page's HTML: header, headings, notes and prompt tips."""

import json
from collections.abc import Sequence
from html import escape

from pixgen.ui.i18n import Translator

_MARK = (
    '<svg viewBox="0 0 12 12" aria-hidden="true"><path d="M0 0h4v4H0zM8 4h4v4H8zM4 8h4v4H4z"/>'
    '<path d="M4 0h4v4H4zM0 8h4v4H0z" opacity=".55"/><path d="M4 4h4v4H4zM8 0h4v4H8z" opacity=".25"/></svg>'
)
_SIDE = (
    '<svg viewBox="0 0 20 20" aria-hidden="true"><rect x="2" y="3.2" width="16" height="13.6" rx="3"/>'
    '<path d="M12.4 3.2v13.6"/></svg>'
)
_HERE = ' aria-current="page"'


def header(say: Translator, languages: Sequence[tuple[Translator, str]] = ()) -> str:
    """The header: the name, a line about the page, links to the languages, the shortcuts, and the side bar's
    button."""
    keys = "".join(
        f"<li>{''.join(f'<kbd>{escape(key)}</kbd>' for key in combination.split())} {escape(does)}</li>"
        for combination, does in (
            ("Ctrl Enter", say("paint, classify or search")),
            ("Esc", say("stop, and keep the picture")),
            ("/", say("go to the prompt")),
            ("← →", say("through the pictures, when one is open large")),
            ("G", say("show or hide your pictures")),
            ("?", say("show this list")),
        )
    )
    return (
        f'<header class="pg-header" data-language="{say.language}">'
        f"<h1>{_MARK}<span>{escape('pixgen')}</span></h1>"
        f"<p>{escape(say('pictures from text'))}</p>{_languages(say, languages)}"
        f"<details><summary>{escape(say('Shortcuts'))}</summary><ul>{keys}</ul></details>"
        f"{_side_toggle(say('Your pictures'))}</header>"
    )


def _side_toggle(said: str) -> str:
    return (
        f'<button type="button" id="pg-side-toggle" aria-controls="pg-side" aria-expanded="false" '
        f'aria-label="{escape(said)}" title="{escape(said)}">{_SIDE}</button>'
    )


def _languages(say: Translator, languages: Sequence[tuple[Translator, str]]) -> str:
    links = "".join(
        f'<a href="{escape(address)}" lang="{each.language}" hreflang="{each.language}"'
        f"{_HERE if each is say else ''}>{escape(each.name)}</a>"
        for each, address in languages
    )
    return f'<nav aria-label="{escape(say("Language"))}">{links}</nav>' if links else ""


def prompt_tips(say: Translator, grammar: tuple[tuple[str, str], ...] | None = None) -> str:
    """A folded explanation, such as the prompt tips."""
    rows = "".join(
        f"<dt><code>{escape(code)}</code></dt><dd>{escape(does)}</dd>"
        for code, does in grammar
        or (
            ("a red fox | snow", say("both at once")),
            ("a red fox :2 | snow :0.5", say("more of one, less of the other")),
            ("a red fox | text :-1", say("away from something")),
            (
                "a fox @left | a cat @right",
                say("each in its place: left, right, top, bottom, centre"),
            ),
            ("a castle | pink @[the sky]", say("a region in words, which CLIP finds")),
            ("a house | day -> night :2", say("a direction, from one text to the other")),
            ("a fox | [noise:42]", say("noise with this seed, for variety")),
            ("a fox ^ the fox asleep", say("first one scene, then the next")),
        )
    )
    return f'<details class="pg-grammar"><summary>{escape(say("Prompt tips"))}</summary><dl>{rows}</dl></details>'


def script_texts(say: Translator) -> str:
    """The sentences that the browser's scripts show, by name."""
    said = {
        "lightBox": say("The picture, large"),
        "previous": say("Previous picture"),
        "next": say("Next picture"),
        "close": say("Close"),
        "copied": say("Copied"),
        "completions": say("Words that complete the prompt: Tab takes one"),
        "dropped": say("What to do with this picture"),
        "dropStart": say("Start from it"),
        "dropPrompt": say("Paint something like it"),
        "dropClassify": say("Classify it"),
        "dropInfo": say("Read its recipe"),
        "cancel": say("Cancel"),
        "addFiles": say("Add more files"),
        "wrongFile": say("{names} cannot be used here: choose {kinds}.", names="{names}", kinds="{kinds}"),
        "noticeTitles": {"Error": say("Error"), "Warning": say("Warning"), "Info": say("Info")},
        "fileKinds": {"image": say("a picture"), "video": say("a video"), "audio": say("a sound")},
        "selected": say("{count} selected", count="{count}"),
        "compare": say("Compare"),
        "download": say("Download"),
        "contactSheet": say("Contact sheet"),
        "delete": say("Delete"),
        "clear": say("Clear the selection"),
        "compareTwo": say("Select two pictures to compare them."),
        "notify": say("Notify me when it is done"),
        "notifying": say("You will be notified"),
        "painted": say("Your picture is done"),
        "notPainted": say("Couldn't paint"),
    }
    return f'<span hidden class="pg-texts" data-texts="{escape(json.dumps(said))}"></span>'


def heading(text: str) -> str:
    """A small heading inside a column."""
    return f'<h2 class="pg-heading">{escape(text)}</h2>'


def note(text: str) -> str:
    """A small note inside a column."""
    return f'<p class="pg-note">{escape(text)}</p>'


def reasons(say: Translator) -> str:
    """The reasons why buttons of Create are disabled, by id; page.js shows them as tooltips."""
    nothing = say("Nothing is being painted at the moment.")
    unfinished = say("The picture is not finished yet: wait for it, or stop it.")
    said = {
        "pg-stop": nothing,
        **dict.fromkeys(
            ("pg-picture", "pg-film", "pg-copy-link", "pg-change-part", "pg-enlarge", "pg-classify-this"),
            unfinished,
        ),
    }
    return f'<span hidden class="pg-reasons" data-reasons="{escape(json.dumps(said))}"></span>'


def brush_help(say: Translator) -> str:
    """The instructions for the brush; page.css shows them while the brush is active."""
    text = say(
        "Brush over the area to repaint, write a prompt for it, and press Generate. Press again to cancel."
    )
    return f'<p class="pg-brush-help">{escape(text)}</p>'
