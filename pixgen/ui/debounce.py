"""Questions that go to the server as soon as typing pauses, one at a time, and always the last one.

A gradio event that is triggered "always_last" forgets the last letters where an answer takes a while.
So the parts that change only say so, and typing.js presses a hidden button when it is time.
"""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.events import Dependency


def on_pause(events: Sequence[Any], name: str) -> gr.Button:
    """The hidden button that is pressed when what fires ``events`` has paused.

    Args:
        name: its id; who answers its click says so with ``on_answer``. Those that are alike up to "--" wait
            for each other, and one that ends with "--now" asks without a pause.
    """
    gr.on(events, None, js=_say("changed", name), trigger_mode="multiple", api_visibility="private")
    return gr.Button(visible="hidden", elem_id=name)


def on_answer(answer: Dependency, name: str) -> None:
    """When ``answer`` has come, or cannot come any more, the next question may be asked."""
    for ended in (answer.then, answer.failure):  # gradio runs only the latter after an error
        ended(None, js=_say("answered", name), api_visibility="private")


def _say(what: str, name: str) -> str:
    return f"() => {{ document.dispatchEvent(new CustomEvent('pixgen-{what}', {{ detail: '{name}' }})) }}"
