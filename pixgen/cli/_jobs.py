"""A job on the command line: run to its end or resumed, and reported while it paints.

A person sees a progress bar, a program reads JSON lines.
"""

import contextlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TextIO

import typer
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from pixgen.cli._downloads import describe_download, download_facts
from pixgen.cli._outputs import PipeSafeConsole, print_line
from pixgen.cli._signals import exit_status
from pixgen.errors import RecipeError

if TYPE_CHECKING:
    from pixgen.cli._outputs import Outputs, SavedFiles
    from pixgen.models.progress import DownloadProgress
    from pixgen.studio import Job, JobStatus, Studio


Similarities = tuple[tuple[str, float], ...]  # prompt, cosine

SECONDS_BETWEEN_LINES = 5.0  # where there is no terminal to draw on
UPDATES_A_SECOND = 4.0


class Report(AbstractContextManager, Protocol):
    """Reports one job; a context manager around the time it paints."""

    def note(self, sentence: str) -> None:
        """Print a sentence."""

    def begin(self, job: "Job") -> None:
        """Report that the job is submitted."""

    def progress(self, job_status: "JobStatus") -> None:
        """Report a newer status of the job."""

    def end(self, job: "Job", kept: "SavedFiles") -> None:
        """Report that the job has ended and where its files are."""


class JsonReport(AbstractContextManager):
    """Prints one JSON object per line: progress, then the result."""

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is nothing to close."""

    def note(self, sentence: str) -> None:
        print_line(f"pixgen: {sentence}", err=True)

    def begin(self, job: "Job") -> None:
        self._line({"run": job.id, "seed": job.recipe.seed, "steps": job.recipe.steps})

    def progress(self, job_status: "JobStatus") -> None:
        line = {"state": job_status.state, "place": job_status.position}
        if job_status.fetching is not None:
            line["fetching"] = download_facts(job_status.fetching)
        if frame := job_status.frame:
            line |= {
                "step": frame.step,
                "steps": frame.steps,
                "similarities": _similarity_objects(frame.similarities),
            }
            line |= {
                "steps_a_second": job_status.steps_per_second,
                "seconds_left": job_status.seconds_left,
            }
        self._line(line)

    def end(self, job: "Job", kept: "SavedFiles") -> None:
        self._line(result_object(job, kept))

    def _line(self, value: dict[str, Any]) -> None:
        print_line(json.dumps(value, ensure_ascii=False))


def make_report(as_json: bool) -> Report:
    """The report for programs if ``as_json``, else for people."""
    return JsonReport() if as_json else RichReport()


def result_object(job: "Job", kept: "SavedFiles") -> dict[str, Any]:
    """The result of a job as plain values."""
    run = job.run
    return {
        "run": run.id,
        "parent": run.parent or None,
        "state": run.state,
        "step": run.step,
        "steps": run.recipe.steps,
        "picture": str(kept.picture) if kept.picture else None,
        "film": str(kept.video) if kept.video else None,
        "similarities": _similarity_objects(run.similarities),
        "seconds": round(run.seconds, 3),
        "notice": run.notice,
        "recipe": run.recipe.model_dump(mode="json"),
    }


class RichReport(AbstractContextManager):
    """Shows a bar, each prompt's similarity, steps per second and time left; prints the result to stdout."""

    def __init__(self, *, stream: TextIO | None = None) -> None:
        self._console = PipeSafeConsole(file=stream, stderr=stream is None, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            auto_refresh=False,
        )
        self._task = self._bar.add_task("waiting", total=None, figures="")
        self._live: Live | None = None
        self._fetched = ""
        self._next_line, self._last_step = 0.0, -1  # when the next line is due; the step of the last one

    def __enter__(self) -> "RichReport":
        if self._console.is_terminal:
            self._live = Live(self._bar, console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def note(self, sentence: str) -> None:
        self._console.print(sentence, markup=False, soft_wrap=True)

    def begin(self, job: "Job") -> None:
        recipe = job.recipe
        words = " ^ ".join(" | ".join(prompt.label for prompt in scene) for scene in recipe.prompts)
        self.note(f"{words} · {recipe.width}×{recipe.height} · seed {recipe.seed} · run {job.id}")

    def progress(self, job_status: "JobStatus") -> None:
        frame = job_status.frame
        if frame is None:
            waiting = job_status.state == "waiting" and job_status.position
            text = f"waiting, {waiting} before" if waiting else job_status.state
            self._bar.update(self._task, description=text, **_download_fields(job_status.fetching))
            if (
                self._live is None
                and job_status.fetching is not None
                and self._fetched != job_status.fetching.model
            ):
                self._fetched = job_status.fetching.model  # once: a file of lines has no bar
                self.note(describe_download(job_status.fetching))
            return
        self._bar.update(
            self._task,
            description=job_status.state,
            completed=max(0, frame.step),
            total=max(1, frame.steps),
            figures=_progress_text(job_status),
        )
        if self._live is not None:
            self._live.update(Group(self._bar, _similarity_table(frame.similarities)))
        elif job_status.elapsed >= self._next_line and frame.step != self._last_step:
            self._next_line, self._last_step = job_status.elapsed + SECONDS_BETWEEN_LINES, frame.step
            similarities = "  ".join(f"{label} {cosine:.3f}" for label, cosine in frame.similarities)
            self.note(f"{_progress_text(job_status)}  {similarities}")

    def end(self, job: "Job", kept: "SavedFiles") -> None:
        run = job.run
        self._console.print(_similarity_table(run.similarities))
        if run.notice:
            self.note(run.notice)
        if run.state == "stopped":
            self.note(
                f"Stopped at step {run.step} of {run.recipe.steps}. To continue: "
                f"python -m pixgen generate --resume {_relative_path(run.folder)}"
            )
        for name, path in (("Picture", kept.picture), ("Video", kept.video)):
            if path is not None:
                print_line(f"{name}: {_relative_path(path)}")
        print_line(f"Seed: {run.recipe.seed}")


def _relative_path(path: Path) -> Path:
    """The path relative to the current folder, if it lies in it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _download_fields(fetching: "DownloadProgress | None") -> dict[str, Any]:
    """The bar's fields for a model's download; empty ones without a download."""
    if fetching is None:
        return {"completed": 0, "total": None, "figures": ""}
    return {
        "completed": fetching.done,
        "total": fetching.total,
        "figures": describe_download(fetching),
    }


def _progress_text(job_status: "JobStatus") -> str:
    frame = job_status.frame
    parts = [f"step {frame.step}/{frame.steps}" if frame.step >= 0 else "sketching"]
    if job_status.steps_per_second:
        parts.append(f"{job_status.steps_per_second:.1f} steps/s")
    if job_status.seconds_left is not None:
        minutes, seconds = divmod(round(job_status.seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02d} left")
    return " · ".join(parts)


def _similarity_table(similarities: Similarities) -> Table:
    """A table with the similarity of the picture to each prompt."""
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right")
    table.add_column()
    for label, cosine in similarities:
        table.add_row(f"{cosine:+.3f}", Text(label, overflow="ellipsis", no_wrap=True))
    return table


def _similarity_objects(similarities: Similarities) -> list[dict[str, Any]]:
    return [{"prompt": label, "similarity": round(cosine, 5)} for label, cosine in similarities]


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
        except KeyboardInterrupt as error:
            status = exit_status(error)
            job.stop()
            with contextlib.suppress(OSError):  # the terminal may be gone
                report.note("Stopping after this step.")
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
        allowed: parameters that can, beside the devices, the output folder, ``--overwrite`` and ``--json``.
        why: the end of the sentence “--resume uses …”.
    """
    sources = {name: context.get_parameter_source(name) for name in context.params}
    typed = {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}
    devices = {"device", "devices", "cluster", "per_device"}
    if typed - {"resume", "overwrite", "output_dir", "as_json", *devices, *allowed}:
        raise RecipeError("--resume uses {why}", why=why)
