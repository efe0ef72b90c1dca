"""The studio: jobs on devices, runs on disk.

In come recipes, from the page, the command line or Python. Out come jobs to watch, and runs that are kept."""

from pixgen.studio.jobs import Job
from pixgen.studio.model_cache import resolve_device
from pixgen.studio.policy import Policy
from pixgen.studio.runs.run import Run
from pixgen.studio.status import FinalFrame, JobStatus
from pixgen.studio.studio import Studio

__all__ = ["FinalFrame", "Job", "JobStatus", "Policy", "Run", "Studio", "resolve_device"]
