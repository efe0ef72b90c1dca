"""Following a job to its end, and going on with a run."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.cli._outputs import Outputs
    from pixgen.cli._progress import Report
    from pixgen.studio import Job, Studio

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
            for job_status in job.watch(rate=GLIMPSES_A_SECOND):
                report.progress(job_status)
        except KeyboardInterrupt:
            status = INTERRUPTED
            report.note("Stopping after this step.")
            job.stop()
            job.wait()
    if job.error is not None:
        raise outputs.rescue(job)
    report.end(job, outputs.keep(job))
    if notice := outputs.lost_sound(job):
        report.note(notice)
    return status


def locate_run(run: str, output_dir: Path | None) -> tuple[str, Path | None]:
    """A run's name, and the folder where runs are kept: a run's folder says both."""
    folder = Path(run)
    if folder.name != run and folder.is_dir():
        return folder.name, folder.parent
    return run, output_dir


def paint(
    begin: Callable[["Studio", str], "Job"],
    *,
    run: str = "",
    output_dir: Path | None,
    device: str,
    outputs: "Outputs",
    report: "Report",
) -> NoReturn:
    """Begin a job in a studio, follow it to its end, and leave the command with its exit status.

    Args:
        begin: is given the studio, and the name of ``run``.
        run: the name or the folder of a run that the job goes on from.

    Raises the PixgenError that ended the job.
    """
    from pixgen.studio import Studio

    name, folder = locate_run(run, output_dir)
    with Studio(folder, device=device) as studio:
        status = follow(begin(studio, name), outputs=outputs, report=report)
    raise typer.Exit(status)


def only_with_resume(context: typer.Context, *allowed: str, why: str) -> None:
    """Raise RecipeError if anything was typed that does not go with ``--resume``: ``allowed`` are the
    command's parameters that do, beside where the runs are and how it is told."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    typed = {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}
    if typed - {"resume", "overwrite", "device", "output_dir", "as_json", *allowed}:
        raise RecipeError("--resume goes on with {why}", why=why)
