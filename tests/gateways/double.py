"""An HTTP server on this machine that remembers what it was asked, and can be told to fail."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] | None = None

    @classmethod
    def of(cls, value: object, status: int = 200) -> Reply:
        return cls(status, json.dumps(value).encode())


class Double:
    """The behaviour of one gateway; subclasses answer in `take`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.refusals: list[str] = []
        #: Replies that are given instead, the next one first.
        self.instead: deque[Reply] = deque()
        #: While clear, requests hang unanswered.
        self.answers = threading.Event()
        self.answers.set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def take(self, request: Request) -> Reply:
        raise NotImplementedError

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        self.answers.wait(timeout=30)
        if self.instead:
            return self.instead.popleft()
        return self.take(request)

    def refuse(self, why: str, status: int = 403) -> Reply:
        self.refusals.append(why)
        return Reply.of({"Code": why, "Message": why, "errcode": 1, "code": 1}, status)

    @contextmanager
    def running(self) -> Iterator[Double]:
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("content-length", "0"))
                request = Request(
                    self.command, parts.path, dict(parse_qsl(parts.query)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )  # fmt: skip
                reply = double.answer(request)
                try:
                    self.send_response(reply.status)
                    for name, value in (reply.headers or {}).items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(reply.body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_GET = do_POST = _serve  # noqa: N815  # the names that http.server calls

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.answers.set()
            server.shutdown()
            thread.join()
            server.server_close()
