"""Running a job to its end from the command line, and resuming a run."""

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
UPDATES_A_SECOND = 4.0


def follow_job(job: "Job", *, outputs: "Outputs", report: "Report") -> int:
    """Report a job until it ends, save its files, and return the exit status.

    Raises the PixgenError that ended the job, once the picture so far is saved.
    """
    status = 0
    with report:
        report.begin(job)
        try:
            for job_status in job.watch(rate=UPDATES_A_SECOND):
                report.progress(job_status)
        except KeyboardInterrupt:
            status = INTERRUPTED
            report.note("Stopping after this step.")
            job.stop()
            job.wait()
    if job.error is not None:
        raise outputs.rescue(job)
    report.end(job, outputs.save(job))
    if notice := outputs.sound_notice(job):
        report.note(notice)
    return status


def locate_run(run: str, output_dir: Path | None) -> tuple[str, Path | None]:
    """The name of a run and the folder that holds it, from its name or from its own folder."""
    folder = Path(run)
    if folder.name != run and folder.is_dir():
        return folder.name, folder.parent
    return run, output_dir


def run_job(
    begin: Callable[["Studio", str], "Job"],
    *,
    run: str = "",
    output_dir: Path | None,
    device: str,
    outputs: "Outputs",
    report: "Report",
) -> NoReturn:
    """Submit a job to a studio, follow it to its end, and end the command with its exit status.

    Args:
        begin: submits the job; it takes the studio and the name of ``run``.
        run: the name or the folder of the run that the job continues.

    Raises the PixgenError that ended the job.
    """
    from pixgen.studio import Studio

    name, folder = locate_run(run, output_dir)
    with Studio(folder, device=device) as studio:
        status = follow_job(begin(studio, name), outputs=outputs, report=report)
    raise typer.Exit(status)


def reject_options_beside_resume(context: typer.Context, *allowed: str, why: str) -> None:
    """Raise RecipeError if an option was typed that cannot be combined with ``--resume``.

    Args:
        allowed: parameters that can, beside the device, the output folder, ``--overwrite`` and ``--json``.
        why: the end of the sentence “--resume goes on with …”.
    """
    sources = {name: context.get_parameter_source(name) for name in context.params}
    typed = {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}
    if typed - {"resume", "overwrite", "device", "output_dir", "as_json", *allowed}:
        raise RecipeError("--resume goes on with {why}", why=why)
