"""An S3 server for the tests, moto's, at a free port of this machine."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serve_s3(server: Any) -> Iterator[str]:
    """Start ``moto.server``; yields its address. It is stopped at the end."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        running.stop()


def make_bucket(address: str, monkeypatch: Any) -> str:
    """Make a bucket, and let the environment name the server and its credentials; returns the bucket's address."""
    import boto3

    for name, value in {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"pixgen-{secrets.token_hex(4)}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/runs"
