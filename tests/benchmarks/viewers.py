"""Many pages that are open at once, as browsers hold them: a stream each, and the view anew when it changed.

    python -m tests.benchmarks.viewers HOST PORT COOKIE NUMBER

A line `open` follows when all are; each line on standard input is answered by how many views were asked for.
"""

import asyncio
import sys

WAIT = 30.0  # seconds for an answer


class Viewers:
    """`asked` counts the views that were given."""

    def __init__(self, host: str, port: int, cookie: str) -> None:
        self._at = host, port
        self._head = f"Host: {host}:{port}\r\nCookie: {cookie}\r\n"
        self.asked = 0
        self.opened = asyncio.Semaphore(0)
        self._one_view = asyncio.Semaphore(20)

    async def look(self) -> None:
        """Hold one page open."""
        reader, writer = await asyncio.open_connection(*self._at)
        writer.write(f"GET /events HTTP/1.1\r\n{self._head}\r\n".encode())
        while line := await reader.readline():
            if line.startswith(b"retry"):
                self.opened.release()
            if line.startswith(b"data:"):
                await self.view(line.partition(b":")[2].decode().strip())

    async def view(self, told: str) -> None:
        async with self._one_view:
            reader, writer = await asyncio.open_connection(*self._at)
            head = f"{self._head}HX-Request: true\r\nTold: {told}\r\nConnection: close\r\n"
            writer.write(f"GET / HTTP/1.1\r\n{head}\r\n".encode())
            answer = await asyncio.wait_for(reader.read(), WAIT)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
            self.asked += 1
            writer.close()


async def main() -> None:
    host, port, cookie, number = sys.argv[1:]
    viewers = Viewers(host, int(port), cookie)
    tasks = [asyncio.create_task(viewers.look()) for _ in range(int(number))]
    for _ in tasks:
        await viewers.opened.acquire()
    print("open", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(viewers.asked, flush=True)
    for one in tasks:
        one.cancel()


if __name__ == "__main__":
    asyncio.run(main())
