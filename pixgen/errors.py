"""The errors that are shown to people; any other exception is a bug.

PixgenError
├── RecipeError         a recipe, prompt, preset or option that is not allowed
│   └── InvalidValue    a field of a recipe, as a pydantic validator finds it; also a ValueError
├── PictureError        a file that is not a picture, or is too large
├── ModelError          a model that is unknown, missing, broken or does not fit
├── DeviceError         a device that is not there
│   └── OutOfMemory     too little memory for the work
├── StudioError         a run, a queue or a folder that cannot do what was asked
│   ├── QueueFull       a queue that takes no more jobs now: in all,
│   │   ├── OwnerLimit      of one person,
│   │   └── AddressLimit    of one network address
│   └── StorageError    a folder that cannot be written, a full disk
├── VideoError          a film that cannot be written
├── ClassifyError       labels, templates or pictures to be classified that are not allowed
├── SearchError         a search, or what is to be searched, that is not allowed or not there
└── TrainingError       data or checkpoints of the pocket models that are missing

A message and its values are given apart, so that it can be translated (``messages.py``)::

    raise PictureError("“{name}” is too large: at most {limit} MB.", name=name, limit=64)
"""

from typing import Any

from pixgen.messages import Message


class PixgenError(Exception):
    """Base of all errors: its message says what happened and what to do, and is shown to people.

    Args:
        message: a template that the values fill in, or a whole message.

    ``str(error)`` is the message in English.
    """

    def __init__(self, message: str, /, **values: Any) -> None:
        self.message = message if isinstance(message, Message) and not values else Message(message, **values)
        super().__init__(self.message)


class RecipeError(PixgenError):
    """A recipe, prompt, preset or option that is not allowed."""


class InvalidValue(RecipeError, ValueError):  # noqa: N818 - what happened
    """A field of a recipe that is not allowed; pydantic collects those that validators raise."""


class PictureError(PixgenError):
    """A file that is not a picture, or is too large."""


class ModelError(PixgenError):
    """A model that is unknown, missing, broken or does not fit."""


class DeviceError(PixgenError):
    """A device that is not available."""


class OutOfMemory(DeviceError):  # noqa: N818 - what happened, in the words of the field
    """There was not enough memory."""


class StudioError(PixgenError):
    """A run, a queue or a folder that cannot do what was asked."""


class QueueFull(StudioError):  # noqa: N818 - what happened
    """A queue that takes no more jobs now; ``reason`` names the limit for metrics."""

    reason = "queue"


class OwnerLimit(QueueFull):
    """One person has as many jobs in the queue as they may."""

    reason = "owner"


class AddressLimit(QueueFull):
    """One network address has as many jobs in the queue as it may."""

    reason = "address"


class StorageError(StudioError):
    """A folder that cannot be written, a full disk."""


class VideoError(PixgenError):
    """A video that cannot be read or written."""


class SearchError(PixgenError):
    """A query that is not allowed, or a collection that does not exist."""


class ClassifyError(PixgenError):
    """Labels, templates or pictures that cannot be classified."""


class TrainingError(PixgenError):
    """Missing data or checkpoints of the bundled models."""
