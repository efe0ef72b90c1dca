"""How a picture's arithmetic is done, as values: they change it by rounding alone, except tiles, the
number of sketches at once and what does the augmentations."""

from typing import Annotated, Literal

from pydantic import Field

from pixgen.values import Value


class Engine(Value):
    """Switches between memory and time."""

    # Geometry and colour of cutouts as one warp and one matrix each, or one by one by kornia's own
    # AugmentationSequential: other chance, so another picture. What cannot be fused is kornia's in both.
    augmentations: Literal["fused", "kornia"] = "fused"
    channels_last: bool = True  # the order of a decoder's memory: on a CPU a third faster
    # A decoder's activations are made again on the way back: much less memory, a little slower.
    checkpoint: bool = False
    compiled: bool = False  # by torch.compile: the first step takes minutes, the others less
    # The finished picture is decoded in tiles of so many codes a side, 0 as a whole: much less memory, but
    # a decoder's norms then see a tile alone, and the picture changes a little.
    tile: Annotated[int, Field(ge=0, le=256)] = 0
    # A picture is encoded in tiles of so many codes a side, 0 as a whole; the codes it begins with differ a little.
    encode_tile: Annotated[int, Field(ge=0, le=256)] = 0
    # So many sketches are written at once, 0 all: other chance, so other sketches of the same words.
    sketches: Annotated[int, Field(ge=0, le=64)] = 0
