"""Open a studio with the workers that the options or the environment name."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixgen.studio import Studio


def open_studio(folder: Path | None, *, device: str, devices: str | None, **options: Any) -> "Studio":
    """A studio in a folder, on one device or several.

    Args:
        devices: as ``parse_devices`` reads them; by default ``$PIXGEN_DEVICES``, else only ``device``.
        options: further arguments of ``Studio``.

    Raises DeviceError, StorageError.
    """
    from pixgen.studio import Studio
    from pixgen.studio.workers.local import parse_devices

    names = os.environ.get("PIXGEN_DEVICES", "") if devices is None else devices
    return Studio(folder, device=device, devices=parse_devices(names) if names else (), **options)
