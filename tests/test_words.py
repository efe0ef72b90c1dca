"""The page, the command line and the guides use the field's words: one word for one thing."""

import re
from pathlib import Path

import pytest

from pixgen.ui.i18n.extraction import extract

ROOT = Path(__file__).parent.parent
# Labels and sentences of earlier versions, and what is said instead.
REPLACED = {
    "What to paint": "Prompt",
    "Leave out": "Negative prompt",
    "nothing in particular": "things to avoid",
    "How much work": "Quality",
    "How to write it": "Prompt tips",
    "Keys": "Shortcuts",
    "Draw a start": "Draw a starting point",
    "Paint regions": "Place by region",
    "A style of your own": "Custom style",
    "Its words, with {} for what is painted": "Template ({} stands for your prompt)",
    "Apply to the running picture": "Update this picture",
    "Go on with these words": "Continue with this prompt",
    "+{steps} steps": "{steps} more steps",
    "Change a part": "Edit an area",
    "Another film of it": "Export video",
    "Seconds in all": "Length in seconds (0: automatic)",
    "Pictures a second": "Frames per second",
    "Seconds that the last picture stays": "Hold last frame (s)",
    "Evenly by change": "Even pacing",
    "The end passes into the beginning": "Seamless loop",
    "Words and step below": "Captions",
    "What else is wanted": "Fine-tuning (losses)",
    "Stay near the start, in kind": "Keep the subject",
    "Stay near the start, in colour": "Keep the colours",
    "Symmetry, which": "Symmetry axis",
    "Seamless beside itself": "Seamless tile",
    "A margin of one colour": "Solid border",
    "Beautiful, by people's votes": "Aesthetic score",
    "Drawn by": "Image model",
    "Looked at by": "Guidance model (CLIP)",
    "Sketched by": "Sketch model",
    "It wants a GPU, or patience.": "Slow without a GPU.",
    "Small first": "Start small, then enlarge",
    "How far from it": "Strength",
    "Go on beyond it": "Extend the canvas",
    "Nearer, a frame": "Zoom per frame",
    "A frame takes so many steps": "Steps per frame",
    "At the border comes in": "Edge fill",
    "Pass by": "Transition",
    "And down, if you like": "Rows (optional)",
    "Its values": "Values",
    "All else is as it stands on Create.": "Other settings come from Create.",
    "in the making": "painting",
    "No favourite any more": "Remove from favourites",
    "lies in the bin": "moved to the trash",
    "Take back": "Restore",
    "Use these": "Reuse settings",
    "Everything else is as usual.": "Everything else is default.",
    "At least so alike": "Minimum similarity",
    "Only some of them": "Filters",
    "spoke for": "Why “fox”?",
    "have never seen": "is not in the bundled models’ vocabulary",
    "Not painted": "Couldn't paint",
    "it will just so fit": "it should just fit",
}


def says(text: str, old: str) -> bool:
    """Whether a text has an old label: as a whole if it is one or two words, else anywhere in it."""
    if len(old.split()) <= 2:
        return text == old
    return re.search(rf"(?<!\w){re.escape(old)}(?!\w)", text) is not None


@pytest.mark.parametrize("old", REPLACED)
def test_no_translatable_sentence_says_an_earlier_word(old):
    texts = [
        text
        for entry in extract()
        if entry.id
        for text in ([entry.id] if isinstance(entry.id, str) else entry.id)
    ]
    assert len(texts) > 300
    found = [text for text in texts if says(text, old)]
    assert not found, f"say “{REPLACED[old]}” instead of “{old}”: {found}"


@pytest.mark.parametrize(
    "guide", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name
)
def test_no_guide_names_an_earlier_label(guide):
    text = guide.read_text("utf-8")
    labels = re.findall(r"\*\*(.+?)\*\*|“(.+?)”", text)
    names = {name for pair in labels for name in pair if name}
    old = {each for each in REPLACED if each in names or (len(each.split()) > 2 and says(text, each))}
    assert not old, f"say {[REPLACED[each] for each in old]} instead of {sorted(old)}"
