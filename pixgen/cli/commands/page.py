"""``pixgen app``: open the page in a browser. ``app.py`` of a clone, and of a Space, runs the same command."""

import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pixgen.cli._options import (
    RUNS,
    Catalogue,
    Cluster,
    Devices,
    DeviceShare,
    PerDevice,
    Storage,
    example,
)
from pixgen.cli._outputs import print_line
from pixgen.cli._signals import exit_status
from pixgen.cli._studio import open_studio
from pixgen.errors import PixgenError, StudioError
from pixgen.logs import FORMATS, configure_logs

if TYPE_CHECKING:
    from pixgen.studio import Studio

_SAVING_SECONDS = 4.0  # within 5 seconds of a SIGTERM, the process has ended,
_COPYING_SECONDS = 5.0  # or within 10 with a storage: Docker then kills it
ADDRESS, ACCESS, PAGE, FOLDERS = "Address", "Access", "Page", "Models and folders"


def _read_auth(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    name, _, password = text.partition(":")
    if not (name and password):
        raise StudioError("--auth needs a name and a password, for example --auth ada:secret.")
    return name, password


def _read_log_format(text: str | None) -> str:
    form = text or os.environ.get("PIXGEN_LOG") or "text"
    if form not in FORMATS:
        raise StudioError(
            "--log-format must be one of {choices} (not {form}).", choices=", ".join(FORMATS), form=form
        )
    return form


def _serve_until_interrupted(page: Any, studio: "Studio") -> NoReturn:
    """Serve until Ctrl-C, SIGTERM or a lost terminal, then save what is being painted and end the process.

    Saving comes before everything else, as a service manager soon kills a process that does not end; and nobody
    waits for browsers that still hold connections. Raises typer.Exit if the server ends by itself.
    """
    try:
        while page.is_running:
            time.sleep(0.1)
    except KeyboardInterrupt as error:
        studio.save_jobs(_SAVING_SECONDS)
        if studio.store is not None:
            studio.store.close(_COPYING_SECONDS)
        print_line("Closed; pictures that were being painted are saved.", err=True)
        logging.shutdown()
        os._exit(exit_status(error))  # an ordinary end would wait for every open connection
    raise typer.Exit


@example("pixgen app --port 8000 --auth ada:secret")
def open_page(
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on. 0.0.0.0 lets other machines in.",
            metavar="ADDRESS",
            rich_help_panel=ADDRESS,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Port to listen on. Default: the first free one from 7860.",
            metavar="N",
            rich_help_panel=ADDRESS,
        ),
    ] = None,
    root_path: Annotated[
        str | None,
        typer.Option(
            help="The path under which a proxy serves the page, such as /pixgen.",
            metavar="PATH",
            rich_help_panel=ADDRESS,
        ),
    ] = None,
    share: Annotated[
        bool, typer.Option("--share", help="Make a public link, by gradio.", rich_help_panel=ADDRESS)
    ] = False,
    auth: Annotated[
        str | None,
        typer.Option(help="Ask for this name and password.", metavar="USER:PASSWORD", rich_help_panel=ACCESS),
    ] = None,
    public: Annotated[
        bool,
        typer.Option(
            "--public",
            help="For strangers: lower limits, and nobody sees another's pictures. Always on in a Space.",
            rich_help_panel=ACCESS,
        ),
    ] = False,
    keep: Annotated[
        str | None,
        typer.Option(
            help="Which runs a public page keeps besides favourites: 30 days, 200 runs, 20 GB, or all. "
            "Default: $PIXGEN_KEEP.",
            metavar="LIMITS",
            rich_help_panel=ACCESS,
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            help="The page's language: en or tr. Default: each browser's own.",
            metavar="NAME",
            rich_help_panel=PAGE,
        ),
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            help="How the log is written: text, or json for programs. Default: $PIXGEN_LOG, else text.",
            metavar="FORM",
            rich_help_panel=RUNS,
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            help="cpu, cuda, … Default: the best one there is.", metavar="NAME", rich_help_panel=RUNS
        ),
    ] = "auto",
    devices: Devices = None,
    cluster: Cluster = None,
    per_device: PerDevice = 1,
    device_share: DeviceShare = 1.0,
    output_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where runs are kept. Default: $PIXGEN_OUTPUT_DIR, else ./outputs.",
            metavar="FOLDER",
            rich_help_panel=RUNS,
        ),
    ] = None,
    catalogue: Catalogue = None,
    storage: Storage = None,
    models_dir: Annotated[
        Path | None,
        typer.Option(
            help="A folder of your own VQGANs, to choose by name.", metavar="FOLDER", rich_help_panel=FOLDERS
        ),
    ] = None,
    search_root: Annotated[
        list[Path] | None,
        typer.Option(
            help="A folder that the Search tab may search. Can be given several times.",
            metavar="FOLDER",
            rich_help_panel=FOLDERS,
        ),
    ] = None,
) -> None:
    """Open the page in the browser: paint, watch, search and classify."""
    credentials = _read_auth(auth)
    if port is not None and not 1 <= port <= 65535:
        raise StudioError("--port must be from 1 to 65535 (not {port}).", port=port)
    if share and credentials is None:
        typer.echo("Anyone with the link can use the page: --auth asks for a password.", err=True)
    if models_dir is not None:
        os.environ["PIXGEN_MODELS_DIR"] = str(models_dir)
    from pixgen.studio.library.library import PictureLibrary
    from pixgen.studio.prompt_help import check_typed_prompt
    from pixgen.ui.i18n import LANGUAGES
    from pixgen.ui.page import build, launch, policy_of

    if lang is not None and lang not in LANGUAGES:
        raise StudioError(
            "There is no page in “{lang}”: choose {choices}.", lang=lang, choices=", ".join(LANGUAGES)
        )
    policy = policy_of(
        public=public or "SPACE_ID" in os.environ,
        keep=os.environ.get("PIXGEN_KEEP") if keep is None else keep,
    )
    configure_logs(_read_log_format(log_format), private=policy.public)
    with open_studio(
        output_dir,
        device=device,
        devices=devices,
        cluster=cluster,
        per_device=per_device,
        device_share=device_share,
        catalogue=catalogue,
        storage=storage,
        policy=policy,
    ) as studio:
        library = PictureLibrary(studio, roots=search_root or [])
        library.follow()
        try:
            page = build(studio, library=library, say=LANGUAGES[lang or "en"])
            launch(
                page,
                studio=studio,
                server_name=host,
                server_port=port,
                root_path=root_path,
                share=share,
                by_browser=not lang,
                auth=credentials,
                public=policy.public,
                prevent_thread_lock=True,
            )
            # After launch, in which gradio gives the page three seconds to answer, and after build: kornia cannot be
            # imported by two threads at once.
            studio.preload()
            threading.Thread(target=check_typed_prompt, args=("a red fox",), daemon=True).start()
            _serve_until_interrupted(page, studio)
        except OSError as error:
            raise PixgenError(
                "The page cannot be opened at this address ({error}): choose another --host or --port.",
                error=error,
            ) from error
        except ValueError as error:
            if "localhost" not in str(error):
                raise
            raise PixgenError(
                "The page did not answer this machine in time: if a proxy is set, except localhost from it (no_proxy); "
                "else try again when the machine is less busy."
            ) from error
