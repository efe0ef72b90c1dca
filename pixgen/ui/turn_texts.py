"""The words of what can be done with a picture on the way, and with those that wait."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TurnWords:
    """Turning a picture while it paints, going on from it, and the queue."""

    apply: str = "Apply to the running picture"
    applied: str = "From here on, the picture follows the new words and learning rate."
    nothing_new: str = (
        "The picture follows these words and this learning rate already: change one of them first."
    )
    nothing_runs: str = (
        "No picture is being painted now: Generate begins one, and “Go on with these words” turns "
        "the last one."
    )
    more: str = "+{steps} steps"
    fork: str = "Go on with these words"
    changed: str = "changed at step {steps}"

    add: str = "Add to the queue"
    queue: str = "The queue"
    paused: str = "Paused"
    paused_more: str = "others go first"
    now: str = "now"
    left: str = "{time} left"
    begins: str = "in about {time}"
    takes: str = "takes about {time}"
    before: str = "{count} before it"
    facts: str = "{width} × {height}, {steps} steps"
    up: str = "Earlier"
    down: str = "Later"
    pause: str = "Pause"
    go_on: str = "Go on"
    cancel: str = "Cancel"
    act_on: str = "{act}: {prompt}"
    next_begins: str = "“{prompt}” is kept. The next picture begins."
