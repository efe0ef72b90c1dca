"""A PostgreSQL server for the tests: in a temporary folder, at a free port of this machine."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "pixgen"


def find_programs() -> Path | None:
    """The folder of the server's programs; None if there is no server."""
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))  # Debian's are not on the path
    return installed[-1].parent if installed else None


@contextmanager
def serve(programs: Path) -> Iterator[str]:
    """Start a server that asks for a password; yields the address of its database. It is stopped at the end."""
    password = secrets.token_hex(8)
    # The server refuses to run as root: nobody is always there.
    person: dict[str, Any] = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pixgen-postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(password)
        if person:
            for path in (folder, folder / "password"):
                shutil.chown(path, *person.values())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]

        def run(program: str, *arguments: str) -> None:
            command = [programs / program, "-D", folder / "data", *arguments]
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, **person)

        run(
            "initdb",
            f"--username={USER}",
            f"--pwfile={folder / 'password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
        )
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
        run("pg_ctl", "start", "--wait", "-l", str(folder / "log"), "-o", options)
        try:
            yield f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "-m", "immediate")
