"""``pixgen queue``: what a running page paints and what waits there; moved, paused, resumed, cancelled."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from pixgen.cli._listings import AsJson, printable, table
from pixgen.errors import StudioError

PATIENCE = 60.0  # seconds: a machine that paints may be slow to answer
HOME = "http://127.0.0.1:7860"  # where app.py opens its page

queue = typer.Typer(
    name="queue", help="What a running page paints and what waits: move, pause, resume, cancel."
)

Url = Annotated[str, typer.Option(help="The page's address.", metavar="URL")]
Auth = Annotated[str | None, typer.Option(help="Its name and password, if it asks.", metavar="USER:PASSWORD")]
RunName = Annotated[str, typer.Argument(help="The run's name.", metavar="RUN")]


@queue.callback(invoke_without_command=True)
def _queue(context: typer.Context, url: Url = HOME, auth: Auth = None, as_json: AsJson = False) -> None:
    """What a running page paints and what waits there; alone, list it."""
    if context.invoked_subcommand is None:
        _ask("", "", url, auth, as_json)
    elif url != HOME or auth is not None or as_json:
        raise typer.BadParameter(f"Write options behind “{context.invoked_subcommand}”.")


@queue.command("list")
def _list(url: Url = HOME, auth: Auth = None, as_json: AsJson = False) -> None:
    """List what is painted and what waits, with places and times."""
    _ask("", "", url, auth, as_json)


# Of each command what the page is asked to do, and what that means.
_ACTS = {
    "up": ("up", "Let a run that waits be painted before the one in front of it."),
    "down": ("down", "Let a run that waits be painted after the one behind it."),
    "pause": ("pause", "Let the others go first; what is painted stays."),
    "resume": ("go_on", "End a run's pause."),
    "cancel": ("cancel", "Stop a run, or take it out of the queue; it is kept, and can be gone on with."),
}


def _acting(act: str) -> Callable[..., None]:
    def ask(run: RunName, url: Url = HOME, auth: Auth = None, as_json: AsJson = False) -> None:
        _ask(act, run, url, auth, as_json)

    return ask


for _name, (_act, _about) in _ACTS.items():
    queue.command(_name, help=_about)(_acting(_act))


def _ask(act: str, run: str, url: str, auth: str | None, as_json: bool) -> None:
    """Have the page do something with a run, and print its queue as it is then."""
    from gradio_client.exceptions import AppError

    client = _client(url, auth)
    try:
        places = client.predict(act, run, api_name="/queue")
    except AppError as error:
        raise StudioError(str(error)) from error
    except Exception as error:  # of the network, or of a page that is none of pixgen's
        raise StudioError(_no_page(url)) from error
    if as_json:
        typer.echo(json.dumps(places, ensure_ascii=False))
    elif not places:
        typer.echo("Nothing is painted, and nothing waits.")
    else:
        table(("run", "state", "step", "begins", "takes", "prompt"), map(_row, places))


def _client(url: str, auth: str | None) -> Any:
    """A program's way to a running page. Raises StudioError if there is none, or it does not let us in."""
    from gradio_client import Client
    from gradio_client.exceptions import AuthenticationError

    name, _, password = (auth or "").partition(":")
    try:
        return Client(
            url,
            auth=(name, password) if auth else None,
            verbose=False,
            analytics_enabled=False,
            httpx_kwargs={"timeout": PATIENCE},
        )
    except AuthenticationError as error:
        raise StudioError(
            "The page at {url} asks for a name and a password: give them with --auth USER:PASSWORD.",
            url=url,
        ) from error
    except Exception as error:  # every library below has its own
        raise StudioError(_no_page(url)) from error


def _no_page(url: str) -> str:
    return (
        f"No page of pixgen answers at {url}: open one with `python app.py`, or give its address with --url."
    )


def _row(place: dict[str, Any]) -> tuple[Any, ...]:
    begins = "now" if place["state"] in ("loading", "painting") else _seconds(place["wait"])
    return (
        place["run"],
        place["state"],
        f"{place['step']}/{place['steps']}",
        begins,
        _seconds(place["takes"]),
        printable(place["prompt"]),
    )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} s"
