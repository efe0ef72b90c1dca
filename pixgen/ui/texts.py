"""Every word that a person reads on the page. A translation is another ``Words``."""

from dataclasses import dataclass

from pixgen.ui.augment_texts import AugmentWords
from pixgen.ui.classify_texts import ClassifyWords
from pixgen.ui.experiment_texts import ExperimentWords
from pixgen.ui.film_texts import FilmWords
from pixgen.ui.gallery_texts import GalleryWords
from pixgen.ui.help_texts import HelpWords
from pixgen.ui.i18n import Translator
from pixgen.ui.info_texts import InfoWords
from pixgen.ui.loss_texts import LossWords
from pixgen.ui.memory_texts import MemoryWords
from pixgen.ui.model_texts import ModelWords
from pixgen.ui.pad_texts import PadWords
from pixgen.ui.search_texts import SearchWords
from pixgen.ui.style_texts import StyleWords
from pixgen.ui.turn_texts import TurnWords


@dataclass(frozen=True)
class Words:
    """The page in one language; braces are filled in with ``str.format``."""

    search: SearchWords = SearchWords()
    losing: LossWords = LossWords()
    turning: TurnWords = TurnWords()
    memory: MemoryWords = MemoryWords()
    experiment: ExperimentWords = ExperimentWords()
    films: FilmWords = FilmWords()
    models: ModelWords = ModelWords()
    info: InfoWords = InfoWords()
    styling: StyleWords = StyleWords()
    help: HelpWords = HelpWords()
    pad: PadWords = PadWords()
    gallery: GalleryWords = GalleryWords()
    augmenting: AugmentWords = AugmentWords()

    # The page
    language: str = "en"  # its code in HTML and in addresses
    language_name: str = "English"  # in itself
    languages: str = "Language"
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
        ("G", "show or hide your pictures"),
        ("?", "show this list"),
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
        "an owl in the forest",
        "a watercolour of a sailboat at sunset",
        "3d render of a green dragon in the sky",
        "a panda eating a watermelon",
        "a cat :2 | purple background",
    )
    grammar_title: str = "How to write it"
    grammar: tuple[tuple[str, str], ...] = (
        ("a red fox | snow", "both at once"),
        ("a red fox :2 | snow :0.5", "more of one, less of the other"),
        ("a red fox | text :-1", "away from something"),
        ("a fox @left | a cat @right", "each in its place: left, right, top, bottom, centre"),
        ("a fox ^ the fox asleep", "first one scene, then the next"),
    )

    # The settings
    preset: str = "How much work"
    # Name, title and sentence of presets; those that are not here have their file's own.
    presets: tuple[tuple[str, str, str], ...] = ()
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
        ("drawn", "what you draw here"),
        ("last", "the last picture here"),
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
    not_begun: str = "Stopped before it began"
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
    begin: str = "Begin"
    change_part: str = "Change a part"
    change_part_help: str = (
        "Brush over what to paint anew, say what belongs there, and press Generate. "
        "Press again to leave the picture as it is."
    )
    recipe: str = "Recipe"
    api: str = (
        "Paints a picture and waits for it. 0 steps: as many as the preset has. No seed: a new one."
    )
    queue_api: str = (
        "Lists what is painted and what waits, after doing something with one run: up, down, pause, go_on or "
        "cancel. On a public page, the runs alone of the person who has logged in."
    )

    # What goes wrong
    sentences: Translator = Translator("en", "English")  # English is what they are raised in
    not_painted: str = "Not painted"
    bug: str = "Something went wrong on our side, and was noted as {id}. Your words are still here: try again."
    typed_picture: str = (
        "A picture cannot be named by its path on this page: add it under “More settings”, "
        "or write \\[ for a bracket."
    )
    start_needs_picture: str = "To start from a picture of yours, add it below “Start from” first, or choose another start."
    text_not_a_weight: str = (
        "“{end}” was read as text; with a space before the colon, the number is a weight."
    )
    almost_a_weight: str = (
        "“:{end}” is read as text, because it is not a number such as :0.5 or :-1."
    )
    not_a_mask: str = "What was brushed over did not arrive: brush over it again."
    not_a_seed: str = "The seed “{seed}” is not allowed: write a whole number from 0 to {most}, or nothing for a new one."
    gone: str = "The picture that was being painted here is not known any more: paint it again."


ENGLISH = Words()
