"""What is done to the picture while it is painted: tiles of a wall, an overlay every few steps, and colours looked up."""

from typing import Annotated, Literal

from pydantic import model_validator

from pixgen.errors import InvalidValue
from pixgen.recipe.base import Value, setting

Axis = Literal[-1, -2]  # across and down, of a picture (1, 3, H, W)


class Wall(Value):
    """A picture that is painted to be repeated: CLIP sees windows of the wall that its tiles make."""

    kind: Annotated[
        Literal["", "shift", "across", "down", "both"],
        setting(
            "Wall of tiles",
            "Paints a tile: beside it comes the same again, or its mirror image, which has no seams.",
            choices={
                "": "no",
                "shift": "the same again",
                "across": "mirrored across",
                "down": "mirrored down",
                "both": "mirrored across and down",
            },
        ),
    ] = ""
    seams: Annotated[
        float,
        setting(
            "Hide the seams",
            "The weight of the loss that hides the seams of sides that are not mirrored.",
            low=0,
            high=1000,
            offered=(0, 50),
            step=0.5,
        ),
    ] = 5.0

    def is_mirrored(self, axis: Axis) -> bool:
        """Whether every other tile along an axis is mirrored."""
        return self.kind == "both" or self.kind == {-1: "across", -2: "down"}[axis]

    @property
    def seam_axes(self) -> tuple[Axis, ...]:
        """The axes along which the tiles have seams to hide."""
        axes: tuple[Axis, Axis] = (-1, -2)
        return tuple(axis for axis in axes if not self.is_mirrored(axis)) if self.kind else ()


class Overlay(Value):
    """A picture that is blended into the canvas every few steps."""

    picture: Annotated[
        str,
        setting("Overlay", "A picture; where it is transparent, nothing changes.", max_length=4096),
    ] = ""
    every: Annotated[int, setting("Every so many steps", low=1, high=20_000, offered=(1, 100), step=1)] = 10
    alpha: Annotated[
        float,
        setting("Opacity of the overlay", "0: invisible. 1: replaces the picture.", low=0, high=1, step=0.05),
    ] = 0.3
    until: Annotated[
        float,
        setting(
            "Overlay until",
            "The fraction of the steps after which the picture is left alone.",
            low=0,
            high=1,
            step=0.05,
        ),
    ] = 1.0

    def applies(self, steps_done: int, progress: float) -> bool:
        """Whether the overlay is blended in after so many steps, at a progress in [0, 1]."""
        return bool(self.picture) and steps_done % self.every == 0 and progress <= self.until


class Colouring(Value):
    """Colours that are looked up, for every picture that CLIP and people see: by a table, or from another picture."""

    lookup: Annotated[
        str, setting("Colour lookup", "A .cube file of a photo or video editor.", max_length=4096)
    ] = ""
    picture: Annotated[
        str, setting("Colours of a picture", "Carries its colours over to the painting.", max_length=4096)
    ] = ""
    strength: Annotated[
        float, setting("Strength of the colours", "0: as painted. 1: as looked up.", low=0, high=1, step=0.05)
    ] = 1.0

    @model_validator(mode="after")
    def _one_of_both(self) -> "Colouring":
        if self.lookup and self.picture:
            raise InvalidValue("colours come either from a .cube file or from a picture, not from both")
        return self
