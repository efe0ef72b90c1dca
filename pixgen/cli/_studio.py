"""Open a studio with the workers that the options or the environment name."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixgen.errors import DeviceError

if TYPE_CHECKING:
    from pixgen.cluster.connection import Cluster
    from pixgen.studio import Studio


@contextmanager
def open_studio(
    folder: Path | None,
    *,
    device: str,
    devices: str | None = None,
    cluster: str | None = None,
    per_device: int = 1,
    device_share: float = 1.0,
    **options: Any,
) -> Iterator["Studio"]:
    """A studio in a folder, on one device, several devices, or a cluster; on a ZeroGPU Space, on the GPU
    that is lent. It is closed at the end.

    Args:
        devices: as ``parse_devices`` reads them; by default ``$PIXGEN_DEVICES``, else only ``device``.
        cluster: the address of a Ray cluster; by default ``$PIXGEN_CLUSTER``, else none.
        per_device: how many workers share each device of the cluster.
        device_share: of each of its devices, for all of these workers.
        options: further arguments of ``Studio``.

    Raises DeviceError, StorageError.
    """
    from pixgen.studio import Studio
    from pixgen.studio.workers.local import parse_devices
    from pixgen.studio.workers.zerogpu import ZeroGpuWorker, has_zero_gpu, zero_gpu_models

    names = os.environ.get("PIXGEN_DEVICES", "") if devices is None else devices
    address = os.environ.get("PIXGEN_CLUSTER", "") if cluster is None else cluster
    if devices and cluster:
        raise DeviceError("--devices and --cluster cannot be combined: a cluster has its own devices.")
    with ExitStack() as stack:
        nodes = None
        if has_zero_gpu():
            options |= {"workers": [ZeroGpuWorker()], "models": zero_gpu_models()}
            device, names = "cpu", ""
        elif address and not devices:
            nodes = stack.enter_context(open_cluster(address, per_device=per_device, share=device_share))
            options |= {"workers": nodes.workers, "models": nodes.models(device)}
            names = ""
        chosen = parse_devices(names) if names else ()
        studio = stack.enter_context(closing(Studio(folder, device=device, devices=chosen, **options)))
        if nodes is not None:
            nodes.follow(studio)
        yield studio


def open_cluster(address: str, *, per_device: int = 1, share: float = 1.0) -> "Cluster":
    """A connection to a Ray cluster. Raises DeviceError if Ray is not installed, or there is no cluster."""
    require_ray()
    from pixgen.cluster.connection import Cluster

    return Cluster(address, per_device=per_device, share=share)


def require_ray() -> None:
    """Raise DeviceError if Ray is not installed."""
    if find_spec("ray") is None:
        raise DeviceError(
            "Ray is not installed: pip install 'pixgen[cluster]', or in a clone pip install -r "
            "requirements-cluster.txt."
        )
