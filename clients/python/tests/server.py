"""The real server as a process, and a proxy before it whose connections can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

from fake import soon

BINARY = Path(
    os.environ.get("TUTTI_BIN", Path(__file__).parents[3] / "target" / "debug" / "tutti")
)
LISTENING = "listening on "


@contextlib.asynccontextmanager
async def running_server(data: Path) -> AsyncIterator[str]:
    """Runs the server over a data directory, and yields its address."""
    assert BINARY.is_file(), f"{BINARY} is missing: run `cargo build`, or set TUTTI_BIN"
    process = await asyncio.create_subprocess_exec(
        str(BINARY),
        *("serve", "--listen", "127.0.0.1:0", "--data", str(data)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        address = await soon(_address(process.stdout))
        # What else it prints is read on, so that its pipe never fills.
        rest = asyncio.create_task(process.stdout.read())
        yield address
        process.terminate()
        assert await soon(process.wait()) == 0
        await rest
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _address(stdout: asyncio.StreamReader) -> str:
    while line := (await stdout.readline()).decode():
        if LISTENING in line:
            return line.split(LISTENING, 1)[1].split()[0]
    raise AssertionError("the server ended before it listened")


class Proxy:
    """Passes connections on to a server, until they are cut."""

    def __init__(self, target: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.address = ""
        self.connections = 0

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Cuts every connection that is open."""
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        onward_reader, onward_writer = await asyncio.open_connection(*self._target)
        ends = {writer, onward_writer}
        self._open |= ends
        try:
            await asyncio.gather(
                self._pass(reader, onward_writer), self._pass(onward_reader, writer)
            )
        finally:
            self._open -= ends

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
