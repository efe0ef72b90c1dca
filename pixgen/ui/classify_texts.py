"""The words of the Classify tab."""

from dataclasses import dataclass

from pixgen.ui.i18n import Translator


@dataclass(frozen=True)
class ClassifyWords:
    """The Classify tab."""

    sentences: Translator = Translator("en", "English")
    pictures: str = "Pictures"
    pictures_help: str = "Pictures, or a zip of them. Folders in it that are named by their label are checked against the answers."
    labels: str = "What could it be"
    labels_placeholder: str = "cat, dog, red car"
    labels_first: str = "fox, cat, dog, bird, fish, apple, car, house, tree, sailboat"
    label_set: str = "Fill in a set of labels"
    label_set_none: str = "none: what is written"
    go: str = "Classify"
    stop: str = "Stop"
    more: str = "More settings"
    mode: str = "The answer"
    one: str = "Which one"
    several: str = "Which ones"
    mode_help: str = "Which one: shares of one whole. Which ones: each label by itself."
    none: str = "None of these"
    none_choices: tuple[tuple[str, str], ...] = (
        ("never", "never"),
        ("else", "when something else fits better"),
        ("below", "when the best cosine is below the limit"),
        ("both", "in either case"),
    )
    none_below: str = "The limit"
    none_below_help: str = (
        "A cosine. What is usual differs from model to model: look at some answers first."
    )
    templates: str = "Sentences"
    templates_fit: str = "those that fit"
    templates_own: str = "your own"
    own_templates: str = "Your own sentences"
    own_templates_placeholder: str = "a photo of a {}"
    top: str = "Labels a picture"
    set_name: str = "Keep these labels as"
    set_name_placeholder: str = "my-birds"
    keep: str = "Keep"
    kept: str = "Kept as “{name}”, with {count} labels."
    invitation: str = "Say what it could be, and see what it is."
    invitation_more: str = "Add pictures, or begin with one of these:"
    example_alt: str = "Example: {name}"
    answers: str = "The answers"
    reading: str = "Reading the labels"
    looking: str = "Looking"
    looked: str = "{done} of {total} pictures"
    rate: str = "{rate:.0f} a second"
    done: str = "Done"
    stopped: str = "Stopped"
    failed: str = "Not classified"
    out_of_time: str = "The time for one request here is over: what was seen until then is shown."
    nothing_seen: str = "Stopped before the first picture was seen."
    no_pictures: str = "There is no picture yet: add one first."
    none_of_these: str = "none of these"
    picture_alt: str = "{name}: {answer}"
    cosine: str = "cosine {cosine:.3f}"
    close: str = "Too close to call: “{first}” or “{second}”."
    alike: str = "“{first}” and “{second}” are nearly one to this model (cosine {cosine:.2f}): between them the answer is noise."
    explain: str = "What spoke for “{label}”"
    paint: str = "Paint “{label}”"
    paint_short: str = "Paint"
    explained: str = "What in {name} spoke for “{label}” rather than for the other labels"
    explained_how: str = "Glowing places raised the likeness, by integrated gradients (Sundararajan and others, 2017)."
    explained_alt: str = "{name}, darkened; the places that spoke for “{label}” glow"
    close_panel: str = "Close"
    gone: str = "These pictures are not known any more: classify them again."
    table: str = "All pictures"
    table_heads: tuple[str, ...] = ("Picture", "Answer", "Probability", "Cosine", "Folder")
    shown_only: str = "The first {shown} of {total} are shown; the downloads have all."
    accuracy: str = "{right} of {total} right ({share:.0%})"
    unknown_folders: str = "{count} pictures lie in folders that are no label, and are not counted."
    per_label: str = "Right by label"
    confusion: str = "Folders (rows) and answers (columns)"
    download_csv: str = "Table (CSV)"
    download_json: str = "All (JSON)"
    classify_this: str = "Classify this"
    not_there: str = "The picture is not finished yet: wait for it, or stop it."
    api: str = (
        "Names what is in pictures. Labels: typed, else a set by its name. None of these below a cosine; "
        "-1: never."
    )
