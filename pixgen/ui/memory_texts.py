"""The words about memory."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MemoryWords:
    """How much memory a picture takes, and whether it is there."""

    needs: str = "Takes about {size} of memory"
    fits: str = "fits"
    tight: str = "tight"
    too_much: str = "will not fit: less is done at once, or choose a smaller size"
