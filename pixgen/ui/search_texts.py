"""The words of the Search tab."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SearchWords:
    """The Search tab."""

    tab: str = "Search"
    query: str = "What to find"
    query_placeholder: str = "a red car"
    picture: str = "Or like this picture"
    place: str = "Where"
    own_pictures: str = "what was painted here"
    bundled: str = "drawings that come with pixgen"
    uploaded: str = "the pictures you added"
    add: str = "Add pictures, or a zip"
    add_title: str = "Search pictures of your own"
    find: str = "Search"
    stop: str = "Stop"
    grammar_title: str = "How to write it"
    grammar: tuple[tuple[str, str], ...] = (
        ("a red car", "what is to be seen"),
        ("horse + snow", "both in one picture"),
        ("horse + 2:snow - rider", "more of one, none of another"),
        ("[picture] + 2:snow", "the picture that you added, with something else"),
    )
    examples: tuple[str, ...] = ("a fox", "night + 2:stars", "the sea - boat", "a red fruit")
    more: str = "Only some of them"
    top: str = "How many"
    threshold: str = "At least so alike"
    threshold_help: str = "A cosine: 0.2 leaves out what has little to do with the words."
    after: str = "From"
    before: str = "Until"
    date_placeholder: str = "2026-11-23"
    folder: str = "In the subfolder"
    said: str = "Painted from words with"
    side: str = "At least so many pixels wide and high"
    preset: str = "Painted with the preset"
    drawn_by: str = "Painted by the model"
    seed: str = "Painted from the seed"
    looking: str = "The model that looks"
    pictures: str = "Pictures that were found"
    invitation: str = "Say what to find."
    invitation_more: str = (
        "Words, a picture, or a sum of both: CLIP looks at every picture for you."
    )
    preparing: str = "Looking for new pictures"
    indexing: str = "Looking at new pictures"
    of_files: str = "{done} of {total}"
    files_a_second: str = "{rate:.0f} a second"
    searching: str = "Searching"
    found: str = "{count} found"
    nothing: str = "Nothing found"
    invitation_examples: str = "Or begin with a drawing, and see what is like it:"
    example_alt: str = "More like: {name}"
    nothing_painted: str = "Paint something first, or choose other pictures under “Where”."
    nothing_more: str = "Look for something else, or ask for less."
    new_files: str = "{count} new"
    ready: str = "{count} pictures can be searched"
    no_pictures: str = "None of these files is a picture that can be read: choose others."
    skipped: str = "Left out: {count}"
    alike: str = "and {count} alike"
    score: str = "likeness {score}"
    hit_alt: str = "{name}, likeness {score}"
    like: str = "More like this"
    use_start: str = "Start from it"
    use_prompt: str = "Paint something like it"
    classify_it: str = "Classify it"
    download: str = "Open"
    copy_path: str = "Copy its path"
    start_set: str = "The next picture starts from this one."
    prompt_set: str = "This picture is one of what to paint like now."
    typed_picture: str = (
        "A picture cannot be named by its path on this page: add it below the words and write [picture], "
        "or write \\[ for a bracket."
    )
    no_picture: str = "Add the picture that [picture] stands for, below the words."
    stopped: str = "Stopped"
    stopped_more: str = "the next search goes on from here"
    failed: str = "Not found"
    api: str = "Finds pictures by words, by a picture or by both. Returns their scores and facts, and their files."
