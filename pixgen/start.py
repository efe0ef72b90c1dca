"""The start as a value: what the canvas shows before the first step."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pixgen.errors import InvalidValue
from pixgen.prompts import Prompt, parse
from pixgen.values import Value


def _terms(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    scenes = parse(value) if value.strip() else ((),)
    if len(scenes) > 1:
        raise InvalidValue("an idea has one scene: write its parts with |, not with ^")
    return scenes[0]


class Sketch(Value):
    """How a sketcher writes a start: several candidates, of which CLIP picks one."""

    model: Annotated[str, Field(min_length=1, max_length=4096)] = "pocket"
    candidates: Annotated[int, Field(ge=1, le=64)] = 8
    pick: Annotated[int, Field(ge=0, le=63)] = 0  # 0 is the one that CLIP likes best
    # Where nothing is given, as the sketcher does best.
    temperature: Annotated[float, Field(ge=0, le=4)] | None = None
    top_k: Annotated[int, Field(ge=1, le=1 << 20)] | None = None
    guidance: Annotated[float, Field(ge=0, le=40)] | None = None
    memory: bool = True  # things that it knows are drawn as it remembers them, and not written
    looks: Annotated[float, Field(ge=0, le=5)] | None = None  # how strictly others look as words do

    @model_validator(mode="after")
    def _one_of_them(self) -> "Sketch":
        if self.pick >= self.candidates:
            raise InvalidValue(
                "pick must be below the number of candidates, {candidates}",
                candidates=self.candidates,
            )
        return self


class Start(Value):
    """What the canvas shows before the first step."""

    kind: Literal[
        "codes", "perlin", "gradient", "snow", "grey", "picture", "sketch", "idea", "video"
    ] = "codes"  # fmt: skip
    picture: Annotated[str, Field(max_length=4096)] = ""  # a path, with kind "picture"
    fit: Literal["cover", "contain", "stretch"] = "cover"
    strength: Annotated[float, Field(ge=0, le=1)] = 0.0  # how far from the picture; 1 is all chance
    # With kind "picture", to paint only a part of it anew: a mask's path, white where to paint, or the
    # side to which the canvas goes on beyond the picture; and what stands there at first.
    mask: Annotated[str, Field(max_length=4096)] = ""
    extend: Literal["", "left", "right", "top", "bottom"] = ""
    fill: Literal["sketch", "codes", "picture"] = "sketch"
    # With kind "idea": texts and pictures whose CLIP vectors are added up by weight, and sketched.
    idea: Annotated[tuple[Prompt, ...], BeforeValidator(_terms)] = ()
    sketch: Sketch = Sketch()

    @model_validator(mode="after")
    def _complete(self) -> "Start":
        if (self.kind == "picture") != bool(self.picture):
            raise InvalidValue(
                'a start of kind "picture" needs the path of a picture, and no other has one'
            )
        if (self.kind == "idea") != bool(self.idea):
            raise InvalidValue(
                'a start of kind "idea" needs texts or pictures, and no other has them'
            )
        if self.strength and self.kind != "picture":
            raise InvalidValue('a strength goes with a start of kind "picture"')
        if self.mask and self.extend:
            raise InvalidValue(
                "a picture is either painted anew under a mask, or extended to a side"
            )
        if self.masked and self.kind != "picture":
            raise InvalidValue(
                'a mask, or a side to extend to, goes with a start of kind "picture"'
            )
        return self

    @property
    def masked(self) -> bool:
        """Whether only a part of a picture is painted anew."""
        return bool(self.mask or self.extend)

    @property
    def sketched(self) -> bool:
        """Whether a sketcher writes it."""
        return self.kind in ("sketch", "idea") or (self.masked and self.fill == "sketch")
