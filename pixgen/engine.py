"""How a picture's arithmetic is done, as values: they change it by rounding alone, except tiles, the
number of sketches at once and what does the augmentations."""

from typing import Annotated, Literal

from pixgen.settings import setting
from pixgen.values import Value


class Engine(Value):
    """Switches between memory and time."""

    # Other chance, so another picture; what cannot be fused is kornia's in both.
    augmentations: Annotated[
        Literal["fused", "kornia"],
        setting(
            "Augmentations by",
            "Geometry and colour of cutouts as one warp and one matrix each, or one by one by kornia.",
        ),
    ] = "fused"
    channels_last: Annotated[
        bool, setting("Channels last", "The order of a decoder's memory: on a CPU a third faster.")
    ] = True
    checkpoint: Annotated[
        bool,
        setting("Checkpoints", "A decoder computes twice: much less memory, a little slower."),
    ] = False
    compiled: Annotated[
        bool,
        setting("Compiled", "By torch.compile: the first step takes minutes, the others less."),
    ] = False
    captured: Annotated[
        bool,
        setting(
            "Captured",
            "On a GPU, decoder and CLIP are captured once (CUDA graphs): fewer launches.",
        ),
    ] = True
    tf32: Annotated[
        bool,
        setting(
            "TF32",
            "On a GPU in float32, models multiply in TF32: faster, with ten bits of mantissa.",
        ),
    ] = True
    deterministic: Annotated[
        bool,
        setting(
            "Deterministic",
            "On a GPU, sums in a fixed order: the same recipe, the same picture; slower.",
        ),
    ] = False
    # A decoder's norms see a tile alone, so the picture changes a little.
    tile: Annotated[
        int,
        setting(
            "Tiles",
            "The finished picture is decoded in tiles of so many codes a side, with less memory; 0: whole.",
            low=0, high=256, step=1,
        ),
    ] = 0  # fmt: skip
    # The codes that it begins with differ a little.
    encode_tile: Annotated[
        int,
        setting(
            "Encoded tiles", "A picture is encoded in tiles of so many codes a side; 0: whole.", low=0,
            high=256, step=1,
        ),
    ] = 0  # fmt: skip
    # Other chance, so other sketches of the same words.
    sketches: Annotated[
        int,
        setting("Sketches at once", "So many are drawn at a time; 0: all.", low=0, high=64, step=1),
    ] = 0
