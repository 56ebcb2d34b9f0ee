"""A notebook in memory, for tests that need no disk."""

from datetime import datetime

from tests.contract.memory_rows import utc


class MemoryNotebook:
    """See `threadcast.queue.notebook.Notebook`."""

    def __init__(self) -> None:
        self._pages: dict[str, dict[int, tuple[str, datetime]]] = {}

    def write(self, page: str, line: int, text: str, *, now: datetime) -> None:
        self._pages.setdefault(page, {})[line] = text, utc(now)

    def read(self, page: str) -> dict[int, str]:
        return {line: text for line, (text, _) in sorted(self._pages.get(page, {}).items())}

    def tear_out(self, page: str) -> None:
        self._pages.pop(page, None)

    def tear_out_old(self, beginning: str, *, before: datetime) -> int:
        old = [
            name
            for name, lines in self._pages.items()
            if name.startswith(beginning) and max(at for _, at in lines.values()) < utc(before)
        ]
        for name in old:
            del self._pages[name]
        return len(old)
