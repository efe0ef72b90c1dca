"""Jobs on a device, runs on disk: ``Studio`` has recipes painted and keeps what comes of them."""

from pixgen.studio.devices import resolve_device
from pixgen.studio.glimpses import Glimpse, StillFrame
from pixgen.studio.jobs import Job
from pixgen.studio.policy import Policy
from pixgen.studio.runs import Run
from pixgen.studio.studio import Studio

__all__ = ["Glimpse", "Job", "Policy", "Run", "StillFrame", "Studio", "resolve_device"]
