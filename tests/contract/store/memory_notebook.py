"""A notebook in memory, for tests that need no disk."""

from datetime import UTC, datetime


def _utc(moment: datetime) -> datetime:
    assert moment.utcoffset() is not None, "a time without a zone"
    return moment.astimezone(UTC)


class MemoryNotebook:
    """See `threadcast.queue.notebook.Notebook`."""

    def __init__(self) -> None:
        self._pages: dict[str, dict[int, tuple[str, datetime]]] = {}

    def write(self, page: str, line: int, text: str, *, now: datetime) -> None:
        self._pages.setdefault(page, {})[line] = text, _utc(now)

    def read(self, page: str) -> dict[int, str]:
        return {line: text for line, (text, _) in sorted(self._pages.get(page, {}).items())}

    def tear_out(self, page: str) -> None:
        self._pages.pop(page, None)

    def tear_out_old(self, beginning: str, *, before: datetime) -> int:
        old = [
            name
            for name, lines in self._pages.items()
            if name.startswith(beginning) and max(at for _, at in lines.values()) < _utc(before)
        ]
        for name in old:
            del self._pages[name]
        return len(old)
