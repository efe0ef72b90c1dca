"""Every word that a person reads on the page. A translation is another ``Words``."""

from dataclasses import dataclass

from pixgen.ui.loss_texts import LossWords


@dataclass(frozen=True)
class ClassifyWords:
    """The Classify tab."""

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
    model: str = "Model"
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
    no_pictures: str = "There is no picture yet: add one on the left."
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


@dataclass(frozen=True)
class SearchWords:
    """The Search tab."""

    tab: str = "Search"
    query: str = "What to find"
    query_placeholder: str = "a red car"
    picture: str = "Or like this picture"
    place: str = "Where"
    own_pictures: str = "what was painted here"
    uploaded: str = "the pictures you added"
    add: str = "Add pictures, or a zip"
    add_title: str = "Search pictures of your own"
    find: str = "Search"
    grammar_title: str = "How to write it"
    grammar: tuple[tuple[str, str], ...] = (
        ("a red car", "what is to be seen"),
        ("horse + snow", "both in one picture"),
        ("horse + 2:snow - rider", "more of one, none of another"),
    )
    examples: tuple[str, ...] = ("a fox", "night + 2:stars", "the sea - boat")
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
    model: str = "Painted by the model"
    seed: str = "Painted from the seed"
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
        "A picture cannot be named by its path on this page: add it below the words, "
        "or write \\[ for a bracket."
    )
    failed: str = "Not found"
    api: str = "Finds pictures by words, by a picture or by both. Returns their scores and facts, and their files."


@dataclass(frozen=True)
class Words:
    """The page in one language; braces are filled in with ``str.format``."""

    search: SearchWords = SearchWords()
    losing: LossWords = LossWords()

    # The page
    title: str = "pixgen"
    tagline: str = "pictures from words"
    create: str = "Create"
    classify: str = "Classify"
    classifying: ClassifyWords = ClassifyWords()
    keys_title: str = "Keys"
    keys: tuple[tuple[str, str], ...] = (
        ("Ctrl Enter", "paint, classify or search"),
        ("Esc", "stop, and keep the picture"),
        ("/", "go to the words"),
    )

    # The words
    prompt: str = "What to paint"
    prompt_placeholder: str = "a red fox on a snowy hill"
    leave_out: str = "Leave out"
    leave_out_placeholder: str = "nothing in particular"
    generate: str = "Generate"
    stop: str = "Stop"
    examples_title: str = "Or try one of these"
    examples: tuple[str, ...] = (
        "a red fox on a snowy hill",
        "a lighthouse by the sea at night",
        "a watercolour of a sailing boat at sunset",
        "3d render of a green dragon in the sky",
        "a slice of cake :2 | pink background",
    )
    grammar_title: str = "How to write it"
    grammar: tuple[tuple[str, str], ...] = (
        ("a red fox | snow", "both at once"),
        ("a red fox :2 | snow :0.5", "more of one, less of the other"),
        ("a red fox | text :-1", "away from something"),
        ("a fox ^ the fox asleep", "first one scene, then the next"),
    )

    # The settings
    preset: str = "How much work"
    size: str = "Size"
    seed: str = "Seed"
    seed_placeholder: str = "random"
    seed_new: str = "A new seed each time"
    seed_reuse: str = "The seed of the last picture again"
    more: str = "More settings"
    steps: str = "Steps"
    steps_help: str = "More steps: finer, and slower."
    cutouts: str = "Cutouts"
    cutouts_help: str = (
        "How many views of the picture CLIP judges in a step. Fewer need less memory."
    )
    cutout_set: str = "Cutout set"
    cutout_set_help: str = "How the views are cut and disturbed."
    learning_rate: str = "Learning rate"
    learning_rate_help: str = "How far each step goes."
    start: str = "Start from"
    starts: tuple[tuple[str, str], ...] = (
        ("sketch", "a sketch by the transformer"),
        ("codes", "random codes"),
        ("perlin", "clouds"),
        ("gradient", "a gradient"),
        ("snow", "coloured noise"),
        ("grey", "plain grey"),
        ("picture", "a picture of yours"),
        ("idea", "the idea of a picture of yours"),
    )
    idea_words: str = "Mixed with words, if you like"
    idea_words_placeholder: str = "winter | summer :-1"
    start_picture: str = "The picture to start from"
    pictures: str = "Paint something like these pictures"
    pictures_weight: str = "How much they count"
    losses: str = "What else is wanted"
    total_variation: str = "Smoothness"
    start_latent: str = "Stay near the start, in kind"
    start_pixels: str = "Stay near the start, in colour"
    latent_decay: str = "Calm"
    crisp: str = "Show the pixels"

    # The picture
    stage: str = "The picture"
    invitation: str = "Say what to paint, and watch it grow."
    invitation_more: str = "Every stage is shown here, from noise to picture."
    picture_alt: str = "{prompt}, step {step} of {steps}"
    finished_alt: str = "{prompt}, finished after {steps} steps"
    stopped_alt: str = "{prompt}, stopped at step {step} of {steps}"
    progress: str = "Progress"
    starting: str = "Starting"
    waiting: str = "Waiting"
    loading: str = "Getting ready"
    sketching: str = "Sketching"
    sketching_more: str = "the start of the picture"
    sketches: str = "Other sketches to start from"
    sketch_take: str = "Start from sketch {number} instead"
    sketch_taken: str = "The sketch that was taken"
    painting: str = "Painting"
    stopping: str = "Stopping"
    stopped: str = "Stopped"
    done: str = "Done"
    failed: str = "Not painted"
    next_in_line: str = "next in line"
    place: str = "{place} before yours"
    loading_more: str = "the models are being loaded"
    kept: str = "picture and film are kept"
    step: str = "step {step} of {steps}"
    speed: str = "{rate:.1f} steps a second"
    slow: str = "{seconds:.1f} s a step"
    left: str = "{time} left"
    took: str = "{time}"
    seconds: str = "{seconds} s"
    minutes: str = "{minutes} min {seconds:02d} s"
    seed_was: str = "seed {seed}"
    likeness: str = "How well CLIP finds each of the words in the picture"
    likeness_of: str = "Likeness of “{prompt}”"
    pushed_away: str = "left out"
    download_picture: str = "Picture"
    download_film: str = "Film"
    go_on: str = "Go on"
    change_part: str = "Change a part"
    change_part_help: str = (
        "Brush over what to paint anew, say what belongs there, and press Generate. "
        "Press again to leave the picture as it is."
    )
    recipe: str = "Recipe"
    api: str = (
        "Paints a picture and waits for it. 0 steps: as many as the preset has. No seed: a new one."
    )

    # What goes wrong
    not_painted: str = "Not painted"
    bug: str = "Something went wrong on our side, and was noted as {id}. Your words are still here: try again."
    typed_picture: str = (
        "A picture cannot be named by its path on this page: add it under “More settings”, "
        "or write \\[ for a bracket."
    )
    start_needs_picture: str = "To start from a picture of yours, add it below “Start from” first, or choose another start."
    almost_a_weight: str = (
        "“:{end}” is read as text, because it is not a number such as :0.5 or :-1."
    )
    not_a_mask: str = "What was brushed over did not arrive: brush over it again."
    not_a_seed: str = "The seed “{seed}” is not allowed: write a whole number from 0 to {most}, or nothing for a new one."
    gone: str = "The picture that was being painted here is not known any more: paint it again."


ENGLISH = Words()
