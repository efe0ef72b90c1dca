"""What every value of a recipe is: frozen, and without a field that is not its own."""

from typing import Any

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


class Value(BaseModel):
    """A part of a recipe, checked when it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(Value):
    """One of several kinds of a thing, told apart by ``kind``, which its JSON therefore always has."""

    kind: str

    @model_serializer(mode="wrap")
    def _with_kind(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"kind": self.kind, **serialize(self)}
