"""What tests in several folders share."""

import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from coverage import Coverage
from hypothesis import HealthCheck, settings

from tests.queue.store.fresh import close_all
from tests.servers.postgres import Postgres, running
from threadcast.config.logs import configure, forget_secrets

# Suites are not named `test_*`: without this, pytest would not explain their failed asserts.
pytest.register_assert_rewrite("tests.contract.channels.suite")

# No test judges how fast this machine is: what is next to it may take all of it for a while.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

LOUD = (
    *("httpx", "httpcore", "apscheduler", "procrastinate", "psycopg"),
    *("telegram", "urllib3", "uvicorn", "watchfiles"),
)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Logging is the process's own: every test gives it back."""
    root = logging.getLogger()
    level, raises = root.level, logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in LOUD}
    yield
    for each in [each for each in root.handlers if type(each).__module__ == configure.__module__]:
        root.removeHandler(each)
        each.close()
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    logging.raiseExceptions = raises
    logging.captureWarnings(capture=False)
    log_plainly()
    structlog.contextvars.clear_contextvars()


def log_plainly() -> None:
    """Log by the library's defaults, but draw no traceback with all there is in it: that takes seconds."""
    structlog.reset_defaults()
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


log_plainly()
LONG = Path(__file__).parent / "faults"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop what pytest-cov starts in a process of xdist before its own.

    Where a test is not to be traced, it pauses the second only, and the first goes on tracing.
    """
    first = Coverage.current()
    if first is not None and hasattr(session.config, "workerinput"):
        first.stop()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: at the end it would keep the other processes waiting."""
    items.sort(key=lambda item: not item.path.is_relative_to(LONG))


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not in what stays: that took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture(autouse=True)
def no_secrets_of_another_test() -> Iterator[None]:
    """Secrets are concealed in the whole process: every test begins with none."""
    forget_secrets()
    yield
    forget_secrets()


@pytest.fixture(autouse=True)
def queues_are_closed() -> Iterator[None]:
    """No test leaves a queue open that it took from `tests.queue.store.fresh`."""
    yield
    close_all()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for the session (for each of its processes, where it runs in parallel)."""
    with running() as server:
        yield server
