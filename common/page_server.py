"""Serves a page on this machine, to this machine alone."""

import logging
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from nicegui import app, ui
from starlette.types import ASGIApp, Receive, Scope, Send

from common.page_parts import MOST_UPLOADED

HOST = "127.0.0.1"
USUAL_PORT = 8765
MOST_BYTES = MOST_UPLOADED + 1_000_000  # of a request: an upload, and the form around it
SECONDS_TO_END = 1  # after Ctrl-C, for open connections


class LoopbackOnly:
    """Refuses requests of pages that this server did not send.

    A page of another origin runs in the same browser, so it could reach the server under its address (cross-site
    requests), or under a name of its own that it lets point here (DNS rebinding). The header `Host` has to be this
    server's own. So does `Origin`, which a browser sends with each WebSocket and each request that changes something.
    """

    def __init__(self, application: ASGIApp, port: int):
        self.application = application
        self.hosts = {f"{name}:{port}" for name in (HOST, "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.application(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get("origin")
        foreign = headers.get("host") not in self.hosts or (
            origin is not None and origin.removeprefix("http://") not in self.hosts
        )
        # Another site may link to the page; it may neither fetch from it nor put it into a frame.
        linked = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")
        cross = headers.get("sec-fetch-site") in ("cross-site", "same-site") and not linked
        length = headers.get("content-length", "0")
        if foreign or cross:
            await _refuse(scope, receive, send, 403)
        elif not length.isdecimal() or int(length) > MOST_BYTES or "transfer-encoding" in headers:
            await _refuse(scope, receive, send, 413)
        else:
            await self.application(scope, receive, _unframed(send))


def _unframed(send: Send) -> Send:
    """The same function, with a header that lets no other page show this one in a frame."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), (b"x-frame-options", b"DENY")]
        await send(message)

    return sending


async def _refuse(
    scope: Scope,
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    status: int,
) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"refused"})


def listening(usual: int = USUAL_PORT) -> socket.socket:
    """A socket that listens on the usual port, or on a free one if another program uses it.

    It listens at once. Between a check that a port is free and its use, another server could take the port.
    """
    for port in (usual, 0):
        opened = socket.socket()
        if os.name == "posix":  # a port is free though old connections linger
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((HOST, port))
            opened.listen()
        except OSError:
            opened.close()
            continue
        return opened
    raise OSError("no port is free")


def _browser_stayed(record: logging.LogRecord) -> bool:
    """False for the error that Starlette raises if a browser closes a connection before the answer starts.

    Nothing is wrong then, so the terminal shows no traceback.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, RuntimeError) and str(error) == "No response returned.")


def serve(build: Callable[[], None], title: str) -> None:
    """Serve a page until Ctrl-C, and open it in the browser.

    Args:
        build: lays out the page; it is called for each visitor.
        title: of the page.
    """

    def laid_out() -> None:
        ui.dark_mode(None)  # as the visitor's system
        build()

    opened = listening()
    port = opened.getsockname()[1]
    if os.name == "posix":
        server: dict[str, Any] = {"fd": opened.fileno()}
    else:  # uvicorn cannot take a socket over there
        opened.close()
        server = {}
    app.add_middleware(LoopbackOnly, port=port)
    logging.getLogger("uvicorn.error").addFilter(_browser_stayed)
    print(f"the explorer is at http://{HOST}:{port}; Ctrl-C ends it", flush=True)
    with suppress(KeyboardInterrupt):  # the server ends first, and raises it afterwards
        ui.run(
            laid_out,
            host=HOST,
            port=port,
            title=title,
            reload=False,
            show_welcome_message=False,
            timeout_graceful_shutdown=SECONDS_TO_END,
            **server,
        )
