"""``pixgen queue``: list the jobs of a running page, and move, pause, resume or cancel them."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from pixgen.cli._options import RUNS, AsJson, example
from pixgen.cli._outputs import print_table, printable
from pixgen.errors import StudioError

TIMEOUT = 60.0  # seconds: a machine that is painting may answer slowly
DEFAULT_URL = "http://127.0.0.1:7860"  # where `pixgen app` opens its page

queue = typer.Typer(
    name="queue",
    help="Jobs of a running page: list, move, pause, resume, cancel.",
    epilog="Example: pixgen queue --url http://127.0.0.1:7860",
)

Url = Annotated[str, typer.Option(help="The page's address.", metavar="URL", rich_help_panel=RUNS)]
Auth = Annotated[
    str | None,
    typer.Option(
        help="The page's name and password, if it asks.", metavar="USER:PASSWORD", rich_help_panel=RUNS
    ),
]
RunName = Annotated[str, typer.Argument(help="The name of a run.", metavar="RUN")]


@queue.callback(invoke_without_command=True)
def _queue(
    context: typer.Context, url: Url = DEFAULT_URL, auth: Auth = None, as_json: AsJson = False
) -> None:
    """Jobs of a running page: list, move, pause, resume, cancel."""
    if context.invoked_subcommand is None:
        _request("", "", url, auth, as_json)
    elif url != DEFAULT_URL or auth is not None or as_json:
        raise typer.BadParameter(f"Put the options after “{context.invoked_subcommand}”.")


@queue.command("list")
@example("pixgen queue list --json")
def _list(url: Url = DEFAULT_URL, auth: Auth = None, as_json: AsJson = False) -> None:
    """List the jobs that are painted and that wait, with their times."""
    _request("", "", url, auth, as_json)


# For each command: what the page is asked to do, and the command's help.
_ACTIONS = {
    "up": ("up", "Move a waiting run one place forward."),
    "down": ("down", "Move a waiting run one place back."),
    "pause": ("pause", "Pause a run: it keeps its progress, and others are painted first."),
    "resume": ("go_on", "Resume a paused run."),
    "cancel": ("cancel", "Stop a run or take it out of the queue; it is kept and can be continued."),
}


def _make_command(act: str) -> Callable[..., None]:
    def ask(run: RunName, url: Url = DEFAULT_URL, auth: Auth = None, as_json: AsJson = False) -> None:
        _request(act, run, url, auth, as_json)

    return ask


for _name, (_act, _about) in _ACTIONS.items():
    queue.command(_name, help=_about)(
        example(f"pixgen queue {_name} 20261129-120000-abcdef")(_make_command(_act))
    )


def _request(act: str, run: str, url: str, auth: str | None, as_json: bool) -> None:
    """Send the page a request about a run, and print its queue afterwards."""
    from gradio_client.exceptions import AppError

    client = _client(url, auth)
    try:
        places = client.predict(act, run, api_name="/queue")
    except AppError as error:
        raise StudioError(str(error)) from error
    except Exception as error:  # network errors, or answers of a page that is not pixgen's
        raise StudioError(_no_page(url)) from error
    if as_json:
        typer.echo(json.dumps(places, ensure_ascii=False))
    elif not places:
        typer.echo("No jobs: nothing is painted and nothing waits.")
    else:
        print_table(("run", "state", "step", "begins", "takes", "prompt"), map(_row, places))


def _client(url: str, auth: str | None) -> Any:
    """A client of a running page. Raises StudioError if no page answers or if it refuses the password."""
    from gradio_client import Client
    from gradio_client.exceptions import AuthenticationError

    name, _, password = (auth or "").partition(":")
    try:
        return Client(
            url,
            auth=(name, password) if auth else None,
            verbose=False,
            analytics_enabled=False,
            httpx_kwargs={"timeout": TIMEOUT},
        )
    except AuthenticationError as error:
        raise StudioError(
            "The page at {url} asks for a name and a password: give them with --auth USER:PASSWORD.",
            url=url,
        ) from error
    except Exception as error:  # each library below raises its own kind
        raise StudioError(_no_page(url)) from error


def _no_page(url: str) -> str:
    return f"No page of pixgen answers at {url}: open one with `pixgen app`, or give its address with --url."


def _row(place: dict[str, Any]) -> tuple[Any, ...]:
    begins = "now" if place["state"] in ("loading", "painting") else _format_seconds(place["wait"])
    return (
        place["run"],
        place["state"],
        f"{place['step']}/{place['steps']}",
        begins,
        _format_seconds(place["takes"]),
        printable(place["prompt"]),
    )


def _format_seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} s"
