"""Following a job to its end, and going on with a run."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.commands.outputs import Outputs
    from pixgen.commands.reports import Report
    from pixgen.studio import Job

INTERRUPTED = 130  # the exit status after Ctrl-C
GLIMPSES_A_SECOND = 4.0


def follow(job: "Job", *, outputs: "Outputs", report: "Report") -> int:
    """Report a job until it ends, keep what it painted, and return the exit status.

    Raises the PixgenError that ended the job, once what there is of the picture is kept.
    """
    status = 0
    with report:
        report.begin(job)
        try:
            for glimpse in job.watch(rate=GLIMPSES_A_SECOND):
                report.progress(glimpse)
        except KeyboardInterrupt:
            status = INTERRUPTED
            report.note("Stopping after this step.")
            job.stop()
            job.wait()
    if job.error is not None:
        raise outputs.rescue(job)
    report.end(job, outputs.keep(job))
    return status


def located(run: str, output_dir: Path | None) -> tuple[str, Path | None]:
    """A run's name, and the folder where runs are kept: a run's folder says both."""
    folder = Path(run)
    if folder.name != run and folder.is_dir():
        return folder.name, folder.parent
    return run, output_dir


def nothing_else(given: Iterable[Any], why: str) -> None:
    """Raise RecipeError with this sentence if anything was typed that does not go with ``--resume``."""
    # By identity: a 0 was typed, and equals False.
    if any(each is not None and each is not False and each != [] for each in given):
        raise RecipeError("--resume goes on with {why}", why=why)
