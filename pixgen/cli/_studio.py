"""Open a studio with the workers that the options or the environment name."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixgen.studio import Studio


def open_studio(folder: Path | None, *, device: str, devices: str | None, **options: Any) -> "Studio":
    """A studio in a folder, on one device or several; on a ZeroGPU Space, on the GPU that is lent.

    Args:
        devices: as ``parse_devices`` reads them; by default ``$PIXGEN_DEVICES``, else only ``device``.
        options: further arguments of ``Studio``.

    Raises DeviceError, StorageError.
    """
    from pixgen.studio import Studio
    from pixgen.studio.workers.local import parse_devices
    from pixgen.studio.workers.zerogpu import ZeroGpuWorker, has_zero_gpu, zero_gpu_models

    if has_zero_gpu():
        models = zero_gpu_models()
        return Studio(folder, device="cpu", workers=[ZeroGpuWorker()], models=models, **options)
    names = os.environ.get("PIXGEN_DEVICES", "") if devices is None else devices
    return Studio(folder, device=device, devices=parse_devices(names) if names else (), **options)
