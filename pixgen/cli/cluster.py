"""``pixgen cluster``: what a Ray cluster has for pixgen."""

import json
from typing import Annotated

import typer

from pixgen.cli._options import RUNS, AsJson, example
from pixgen.cli._outputs import print_line, print_table
from pixgen.cli._studio import open_cluster

cluster = typer.Typer(
    name="cluster",
    no_args_is_help=True,
    help="Look at the Ray cluster that `pixgen app --cluster` paints on.",
    epilog="Example: pixgen cluster status --cluster ray://10.0.0.1:10001",
)


@cluster.callback()
def _cluster() -> None:
    """Look at a Ray cluster."""


@cluster.command("status")
@example("pixgen cluster status --cluster ray://10.0.0.1:10001")
def _status(
    address: Annotated[
        str,
        typer.Option(
            "--cluster",
            help="auto, local or ray://HOST:10001.",
            metavar="ADDRESS",
            envvar="PIXGEN_CLUSTER",
            rich_help_panel=RUNS,
        ),
    ] = "auto",
    as_json: AsJson = False,
) -> None:
    """List the nodes of a cluster with their devices, memory and free resources.

    Nothing is started on the nodes.
    """
    with open_cluster(address) as found:
        nodes, dashboard = found.nodes(), found.dashboard
    if as_json:
        print_line(json.dumps({"nodes": nodes, "dashboard": dashboard}, ensure_ascii=False))
        return
    print_table(list(nodes[0]) if nodes else [], [list(node.values()) for node in nodes])
    workers = sum(int(node["gpus"] or node["cpus"] >= 1) for node in nodes if node["alive"])
    print_line(f"{workers} pictures can be painted at once.")
    if dashboard:
        print_line(f"Ray's dashboard: {dashboard}")
