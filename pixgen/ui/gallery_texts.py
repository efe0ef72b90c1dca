"""The words of the Gallery tab and of the side bar."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GalleryWords:
    """The Gallery tab, and the side bar."""

    tab: str = "Gallery"
    query: str = "Search your pictures"
    query_placeholder: str = "words of the prompt, or a tag"
    place: str = "Look in"
    places: tuple[tuple[str, str], ...] = (
        ("words", "prompts and tags"),
        ("looks", "the pictures"),
    )
    view: str = "Show"
    views: tuple[tuple[str, str], ...] = (
        ("all", "All"),
        ("favourites", "Favourites"),
        ("bin", "Bin"),
    )
    sort: str = "Order"
    sorts: tuple[tuple[str, str], ...] = (
        ("newest", "newest first"),
        ("oldest", "oldest first"),
        ("likeness", "truest to its words"),
        ("longest", "longest painted"),
        ("prompt", "by prompt"),
    )
    state: str = "State"
    states: tuple[tuple[str, str], ...] = (
        ("", "any"),
        ("painting", "in the making"),
        ("done", "done"),
        ("stopped", "stopped"),
        ("failed", "failed"),
    )
    preset: str = "Preset"
    tag: str = "Tag"
    since: str = "From"
    until: str = "Until"
    every: str = "any"
    counted: str = "{name} ({count})"

    pictures: str = "Your pictures"
    shown: str = "{first} to {last} of {total}"
    nothing_yet: str = "Nothing has been painted yet."
    nothing_yet_more: str = "Every picture is kept here as soon as you begin it."
    nothing: str = "No picture is like that."
    nothing_more: str = "Ask for less, or for something else."
    bin_empty: str = "The bin is empty."
    bin_empty_more: str = "What you delete lies here until you empty it."
    kept_days: str = "Pictures are kept here for {days:g} days; favourites stay."
    kept_runs: str = "Your newest {runs} pictures are kept here; favourites stay."
    kept: str = "Your newest {runs} pictures are kept here, for {days:g} days; favourites stay."
    previous: str = "Previous"
    following: str = "Next"
    star: str = "Favourite"
    alt: str = "{prompt}, {state}, seed {seed}, {time}"
    no_picture: str = "no picture yet"

    side_close: str = "Close"
    found: str = "{count} found"
    all_there: str = "All {count} in the gallery"
    look_too: str = "Search the pictures themselves, too"
    looking: str = "Looking at the pictures …"
    by_looks: str = "By what they show"

    back: str = "All pictures"
    favourite: str = "Favourite"
    favourite_no: str = "No favourite any more"
    delete: str = "Delete"
    restore: str = "Take back"
    tags: str = "Tags"
    tags_placeholder: str = "sea, for the kitchen"
    deleted: str = "“{prompt}” lies in the bin."
    undo: str = "Undo"
    restored: str = "“{prompt}” is back."
    empty: str = "Empty the bin"
    empty_sure: str = "Remove everything in the bin for good?"
    emptied: str = "{count} removed for good."
    in_bin: str = "in the bin"
    course: str = "How it went"
    likeness: str = "Likeness to the words"
    losses: str = "Losses"
    curve_alt: str = "{name}: from {first} to {last}"
    parents: str = "Made from"
    children: str = "What it became"
    siblings: str = "With other seeds"
