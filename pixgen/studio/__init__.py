"""The studio: a queue of jobs on one device or several, and the folder of runs that they write.

Recipes come in, from the page, the command line or Python. Jobs to watch and runs on disk go out."""

from pixgen.studio.jobs import Job
from pixgen.studio.model_cache import resolve_device
from pixgen.studio.policy import Policy
from pixgen.studio.runs.run import Run
from pixgen.studio.status import FinalFrame, JobStatus
from pixgen.studio.studio import Studio

__all__ = ["FinalFrame", "Job", "JobStatus", "Policy", "Run", "Studio", "resolve_device"]
