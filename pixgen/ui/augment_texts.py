"""The words about augmentations and the view of the cutouts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AugmentWords:
    """The list of kornia's augmentations, its preview, and what CLIP sees."""

    title: str = "Augmentations"
    choose: str = "Also augment the cutouts with"
    choose_help: str = (
        "Any augmentation of kornia, with its arguments: RandomThinPlateSpline:p=0.5,scale=0.2. "
        "Type to search."
    )
    preview: str = "Preview"
    preview_help: str = (
        "What each of them does to the current picture; all of them, if none is chosen."
    )
    see: str = "See what CLIP sees"
    see_help: str = "The cutouts of the current step, while a picture is painted."
    nothing: str = "Nothing is being painted at the moment."
    soon: str = "The next step brings its cutouts."
    cutouts_alt: str = "Cutouts of step {step}"
