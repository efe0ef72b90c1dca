"""The page's entry: ``python app.py``. Hugging Face Spaces starts it too, in public mode."""

import argparse
import contextlib
import os
import sys
from pathlib import Path

# Waiting threads that spin starve the browser, the film's encoder and each other: painting beside
# anything else was measured several times slower. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

with contextlib.suppress(ImportError):
    import spaces  # noqa: F401 - where there is ZeroGPU, it must come before torch


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What the command line asks for; ends the process with a sentence if it is not allowed."""
    parser = argparse.ArgumentParser(description="Opens pixgen's page.")
    add = parser.add_argument
    add("--host", help="address to listen on; 0.0.0.0 lets other machines in")
    add("--port", type=int, help="port to listen on (default: the first free from 7860)")
    add("--share", action="store_true", help="a public link, through gradio's relay")
    add("--auth", metavar="USER:PASSWORD", help="ask for this name and password")
    add("--device", default="auto", help="cpu, cuda, … (default: the best one)")
    add("--output-dir", type=Path, help="where runs are kept (default: outputs)")
    add("--models-dir", type=Path, help="a folder of own VQGANs, chosen by name")
    roots = "a folder that the Search tab may search; can be given several times"
    add("--search-root", type=Path, action="append", default=[], help=roots)
    add("--lang", choices=("en", "tr"), help="the page's language (default: each browser's own)")
    public = "for strangers: smaller caps, nobody sees another's pictures (on Spaces: always)"
    add("--public", action="store_true", default="SPACE_ID" in os.environ, help=public)
    kept = "which runs a public page keeps beside favourites: 30 days, 200 runs, 20 GB, or all"
    add("--keep", metavar="LIMITS", default=os.environ.get("PIXGEN_KEEP"), help=kept)
    asked = parser.parse_args(given)
    if asked.auth is not None:
        name, _, password = asked.auth.partition(":")
        if not (name and password):
            parser.error("--auth needs a name and a password, for example --auth ada:secret.")
        asked.auth = (name, password)
    if asked.port is not None and not 1 <= asked.port <= 65535:
        parser.error(f"--port must be from 1 to 65535 (not {asked.port}).")
    return asked


def main() -> int:
    """Build the page, serve it, and return the exit status."""
    asked = arguments()
    if asked.share and asked.auth is None:
        print("Whoever has the link can use the page: --auth asks for a password.", file=sys.stderr)
    os.environ.update({"PIXGEN_MODELS_DIR": str(asked.models_dir)} if asked.models_dir else {})
    from pixgen.errors import PixgenError
    from pixgen.studio import Studio
    from pixgen.studio.library.library import PictureLibrary
    from pixgen.ui.i18n import LANGUAGES
    from pixgen.ui.page import build, launch, policy_of

    try:
        policy = policy_of(public=asked.public, keep=asked.keep)
        studio = Studio(asked.output_dir, device=asked.device, policy=policy)
        library = PictureLibrary(studio, roots=asked.search_root)
        library.follow()
    except PixgenError as error:
        print(error, file=sys.stderr)
        return 2
    with contextlib.closing(studio):
        try:
            page = build(studio, library=library, say=LANGUAGES[asked.lang or "en"])
            studio.preload()  # not beside it: kornia cannot be imported by two threads at once
            where = {"server_name": asked.host, "server_port": asked.port, "share": asked.share}
            launch(page, **where, by_browser=not asked.lang, auth=asked.auth)
        except OSError as error:
            print(f"The page cannot be opened there ({error}): choose another.", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
