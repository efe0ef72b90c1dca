"""The Create tab's form as typed values, made once from what gradio sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from pixgen.ui.create.panels.losses import SETTINGS

_TOGETHER = (
    ("prompt", "leave_out"),
    ("frames", "every", "after", "zoom", "x", "y", "turn", "where", "border", "smooth"),
)  # fields that say one thing together


@dataclass(frozen=True, kw_only=True)
class CreateForm:
    """What a person has filled in; None where the preset, or the recipe behind the form, decides."""

    prompt: str | None = None
    leave_out: str | None = None
    styles: str | None = None  # JSON, as styles.py writes it
    preset: str | None = None
    size: str | None = None
    seed: str | None = None  # "" is a new one
    drawer: str | None = None
    steps: int | None = None
    cutouts: int | None = None
    cutout_set: str | None = None
    learning_rate: float | None = None
    grow: str | None = None
    augment: Sequence[str] | None = None  # as on the command line
    model: str | None = None
    clip: Sequence[str] | None = None
    sketcher: str | None = None
    start: str | None = None
    idea_words: str | None = None
    start_picture: str | None = None  # uploads are paths
    start_strength: float | None = None
    start_fit: str | None = None
    start_extend: str | None = None
    pictures: Sequence[str] | None = None
    pictures_weight: float | None = None
    fade: float | None = None
    blend: str | None = None
    frames: int | None = None
    every: int | None = None
    after: int | None = None
    zoom: str | None = None
    x: str | None = None
    y: str | None = None
    turn: str | None = None
    where: str | None = None
    border: str | None = None
    smooth: float | None = None
    carry: float | None = None
    story_rows: Sequence[Sequence[Any]] | None = None  # a table of scenes
    video: str | None = None
    losses: Mapping[str, Any] = field(default_factory=dict)  # by the names in losses.SETTINGS
    wished_picture: str | None = None
    metadata: bool | None = None
    drawn: str | None = None  # JSON, as pad.js writes it
    mask: str | None = None  # a data: address
    basis: str | None = None  # JSON, as Basis writes it

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "CreateForm":
        """From values by the names of the form's fields; other names are none of its own."""
        own = {each.name for each in fields(cls)} - {"losses"}
        losses = {name: value for name, value in values.items() if name in SETTINGS}
        return cls(
            **{name: _whole(value) for name, value in values.items() if name in own},
            losses={name: value for name, value in losses.items() if value is not None},
        )

    def without(self, shown: "CreateForm") -> "CreateForm":
        """The form with None for each field that is still as it was shown: the form does not show all that
        a recipe has, and what nobody touched stays whole. Fields that say one thing together all stay, if
        one of them was changed."""
        untouched = {
            each.name
            for each in fields(self)
            if each.name != "losses" and getattr(self, each.name) == getattr(shown, each.name)
        }
        for group in _TOGETHER:
            if any(name not in untouched and getattr(self, name) is not None for name in group):
                untouched -= set(group)
        losses = {name: value for name, value in self.losses.items() if value != shown.losses.get(name)}
        return replace(self, losses=losses, **dict.fromkeys(untouched))

    def given(self, *names: str) -> dict[str, Any]:
        """Those of the named fields that are not None, by name."""
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value is not None}


def _whole(value: Any) -> Any:
    """Numbers as a slider sends them: 3.0 is 3."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
