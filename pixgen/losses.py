"""What may be wanted of a picture beside its prompts, as values: a weight each, and what it needs."""

from typing import Annotated, Any, Literal

from PIL import ImageColor
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from pixgen.values import Value

Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Path = Annotated[str, Field(max_length=4096)]


def _named(value: str) -> str:
    rgb(value)
    return value


def _listed(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(each.strip() for each in value.split(",") if each.strip())
    return value


def rgb(colour: str) -> tuple[float, float, float]:
    """A colour by its CSS name or as ``#rrggbb``, each part in [0, 1]. Raises ValueError."""
    try:
        red, green, blue = ImageColor.getrgb(colour)[:3]
    except ValueError:
        raise ValueError(
            f"“{colour[:40]}” is no colour: write a name such as orange, or #ff8800"
        ) from None
    return red / 255, green / 255, blue / 255


Colour = Annotated[str, Field(max_length=40), AfterValidator(_named)]
Colours = Annotated[tuple[Colour, ...], BeforeValidator(_listed), Field(max_length=64)]


class Palette(Value):
    """Only these colours, or those of a picture. Sane: 1 to 10."""

    weight: Weight = 0.0
    colours: Colours = ()  # "navy, white, #ff8800"
    picture: Path = ""

    @model_validator(mode="after")
    def _complete(self) -> "Palette":
        if self.weight and not (self.colours or self.picture):
            raise ValueError(
                "a palette needs colours, such as “navy, white, #ff8800”, or a picture"
            )
        return self


class Smoothness(Value):
    """Even areas. Sane: 0.1 to 2. ``clipped`` leaves strong edges alone; ``log`` evens out weak noise
    most."""

    weight: Weight = 0.0
    kind: Literal["default", "clipped", "log"] = "default"


class Symmetry(Value):
    """The same left and right, above and below, or turned by half a turn. Sane: 1 to 20."""

    weight: Weight = 0.0
    kind: Literal["horizontal", "vertical", "rotational"] = "horizontal"


class Edge(Value):
    """A margin of one colour. Sane: 1 to 10."""

    weight: Weight = 0.0
    colour: Colour = "white"
    margin: Annotated[float, Field(gt=0, le=0.5)] = 0.05  # a part of the shorter side


class Style(Value):
    """The strokes and textures of a picture. Sane: 0.5 to 5."""

    weight: Weight = 0.0
    picture: Path = ""

    @model_validator(mode="after")
    def _complete(self) -> "Style":
        if self.weight and not self.picture:
            raise ValueError("a style needs the path of a picture that has it")
        return self


class Losses(Value):
    """Weights of what is wanted beside the prompts, whose own weight is 1 in all; 0 is off."""

    total_variation: Weight = 0.0  # smoothness of the picture, by squares
    start_latent: Weight = 0.0  # nearness to the start's latent
    start_pixels: Weight = 0.0  # nearness to the start's pixels
    latent_decay: Weight = 0.0  # smallness of the latent
    palette: Palette = Palette()
    saturation: Weight = 0.0  # strong colours; sane: 0.1 to 2
    smoothness: Smoothness = Smoothness()
    symmetry: Symmetry = Symmetry()
    edge: Edge = Edge()
    tiling: Weight = 0.0  # seamless beside itself, both ways; sane: 1 to 20
    anti_text: Weight = 0.0  # no lettering; sane: 0.1 to 1
    aesthetics: Weight = 0.0  # what people found beautiful, by LAION's head; sane: 0.2 to 2
    style: Style = Style()

    @property
    def pictures(self) -> set[str]:
        """Every path that they name."""
        return {self.palette.picture, self.style.picture} - {""}
