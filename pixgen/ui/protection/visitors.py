"""Who sends a request: the signature of anonymous browsers, and the network address behind a proxy."""

import contextlib
import hashlib
import hmac
import ipaddress
import os
import secrets
from functools import cache
from pathlib import Path

import gradio as gr
from starlette.types import Scope

from pixgen.models.cache import cache_folder
from pixgen.studio.owners import counted_address

_KEY_BYTES = 32


def sign_visitor(visitor: str) -> str:
    """The signature of a browser's id, which only this installation can make."""
    return hmac.new(_key(), visitor.encode(), hashlib.sha256).hexdigest()[:43]


def is_signed(visitor: str, signature: object) -> bool:
    """Whether a signature was made for this id."""
    return isinstance(signature, str) and hmac.compare_digest(
        sign_visitor(visitor).encode(), signature.encode("utf-8", "replace")
    )


def client_address(request: gr.Request | None) -> str:
    """The address that a request came from, as limits count it; empty if there is none.

    Behind a proxy, whose own address is private, it is the last public one in ``X-Forwarded-For``: what stands
    before it there is only claimed.
    """
    client = getattr(request, "client", None)
    host = getattr(client, "host", None) or ""
    return _behind_proxy(host, str(request.headers.get("x-forwarded-for", "")) if request is not None else "")


def scope_address(scope: Scope) -> str:
    """The same of an ASGI request."""
    host = (scope.get("client") or ("",))[0]
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return _behind_proxy(host, ", ".join(forwarded))


def ignore_refusal(reason: str) -> None:
    """Do nothing about a request that was refused: where nobody counts them."""


def _behind_proxy(host: str, forwarded_for: str) -> str:
    if _is_private(host):
        forwarded = forwarded_for[-1000:].split(",")
        public = [each.strip() for each in forwarded if each.strip() and not _is_private(each.strip())]
        host = public[-1] if public else host
    return counted_address(host)


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


@cache
def _key() -> bytes:
    """The key of signatures: from ``$PIXGEN_SESSION_KEY``, else one that is kept in the cache folder.

    Where that cannot be written, browsers are strangers again after a restart.
    """
    if given := os.environ.get("PIXGEN_SESSION_KEY"):
        return hashlib.sha256(given.encode()).digest()
    path = cache_folder() / "session-key"
    with contextlib.suppress(OSError):
        _create_key(path)
        key = path.read_bytes()
        if len(key) == _KEY_BYTES:
            return key
    return secrets.token_bytes(_KEY_BYTES)


def _create_key(path: Path) -> None:
    """Write a new key that only this user can read, unless there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
