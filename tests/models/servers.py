"""A server of one file on 127.0.0.1 that behaves as a test wants."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Files:
    """What is served at every path, and how.

    Args:
        breaks: after how many bytes the next answers break off, one number an answer.
        ranges: whether parts may be asked for.
        status: answered instead of the file.
        kind: the answer's content type.
    """

    data: bytes
    breaks: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int = 200
    kind: str = "application/octet-stream"
    asked: list[str] = field(default_factory=list)  # each request's Range, or nothing
    url: str = ""

    @property
    def mark(self) -> str:
        return f'"{hashlib.sha256(self.data).hexdigest()[:16]}"'


@contextmanager
def serving(files: Files) -> Iterator[Files]:
    """Serve while a block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range", "")
            files.asked.append(asked)
            if files.status != 200:
                self.send_response(files.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = 0
            if asked and files.ranges and self.headers.get("If-Range") == files.mark:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", files.kind)
            self.send_header("Content-Length", str(len(files.data) - start))
            self.send_header("ETag", files.mark)
            self.end_headers()
            end = files.breaks.pop(0) if files.breaks else len(files.data)
            self.wfile.write(files.data[start:end])
            self.close_connection = True

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    files.url = f"http://127.0.0.1:{server.server_port}/model.ckpt"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
