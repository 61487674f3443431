"""The line between a browser and the app, which can be slow, and can be cut and mended.

A relay, since Chromium's own emulation of slow and absent networks leaves WebSockets as they are, and Streamlit talks
through one.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

BYTES_A_SECOND, LATENCY = 400_000 / 8, 0.4
"""A phone at the edge of a cell: 400 kbit/s either way, and 0.4 s until something comes."""


class Line:
    """Carries every connection to a port of this machine; as fast as it can until it is told to be slow."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._slow, self._whole = False, True
        self._open: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._free_at = 0.0
        """When what was sent before will have passed; all connections share the line."""
        self._loop = asyncio.new_event_loop()
        self._taken_down = asyncio.Event()

    def slow_down(self) -> None:
        """From now on, carry 400 kbit/s with 0.4 s of delay."""
        self._slow = True

    def cut(self) -> None:
        """End every connection, and let none through until it is mended."""
        self._whole = False
        self._loop.call_soon_threadsafe(lambda: [each.transport.abort() for each in self._open])

    def mend(self) -> None:
        """Let connections through again."""
        self._whole = True

    def take_down(self) -> None:
        """It is not needed any more."""
        self._loop.call_soon_threadsafe(self._taken_down.set)

    def run(self, here: socket.socket) -> None:
        """Carry until it is taken down. ``here``: where connections come in, bound already."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._stand(here))

    async def _stand(self, here: socket.socket) -> None:
        async with await asyncio.start_server(self._connect, sock=here):
            await self._taken_down.wait()
            for each in self._open:
                each.transport.abort()
            if self._carrying:
                await asyncio.wait(self._carrying)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._whole:
            task = self._loop.create_task(self._carry_both_ways(reader, writer))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)
        else:
            writer.transport.abort()

    async def _carry_both_ways(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        ends = {writer, far_writer}
        self._open |= ends
        ways = {asyncio.create_task(self._carry(*way)) for way in ((reader, far_writer), (far_reader, writer))}
        _, other = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for each in other:
            each.cancel()
        await asyncio.wait(ways)
        self._open -= ends
        for end in ends:
            end.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._send(reader, on_the_way))
            both.create_task(self._deliver(on_the_way, writer))

    async def _send(self, reader: asyncio.StreamReader, on_the_way: "asyncio.Queue[tuple[float, bytes]]") -> None:
        data = b"more"
        while data:
            try:
                data = await reader.read(4096)
            except OSError:  # it was cut: that is its end, too
                data = b""
            await on_the_way.put((self._due(len(data)), data))

    async def _deliver(self, on_the_way: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
        while (arriving := await on_the_way.get())[1]:
            await asyncio.sleep(max(0.0, arriving[0] - self._loop.time()))
            with suppress(OSError):
                writer.write(arriving[1])
                await writer.drain()

    def _due(self, size: int) -> float:
        if not self._slow:
            return 0.0
        self._free_at = max(self._free_at, self._loop.time()) + size / BYTES_A_SECOND
        return self._free_at + LATENCY


@contextmanager
def line_to(address: str) -> Iterator[tuple[Line, str]]:
    """A line to an app, and the address at its near end."""
    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        line = Line(urlsplit(address).port or 80)
        thread = threading.Thread(target=line.run, args=(here,), daemon=True)
        thread.start()
        yield line, f"http://127.0.0.1:{here.getsockname()[1]}"
        line.take_down()
        thread.join(10)
