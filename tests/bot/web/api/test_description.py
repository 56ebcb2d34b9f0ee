"""The description of the API is true: of each operation, by its example and by what tools make of it."""

import re
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from tests.bot.web.opened import Opened, opened
from threadcast.bot.people.tokens import Scope, make
from threadcast.bot.web.api.api import examples

ROOT = Path(__file__).resolve().parents[4]
TEXT = "1/ A kettle sings before it boils.\n\n2/ Then it stops.\n"
# A schema cannot say which texts hold a thread, or which times are some.
NOT_ASKED: list[Any] = [positive_data_acceptance]
Operation = APIOperation[Any, Any, Any, Any]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    with opened(tmp_path_factory.mktemp("described")) as page:
        yield page


@pytest.fixture(scope="module")
def described(page: Opened) -> dict[str, Any]:
    found = page.program(Scope.READ, "reader").get("/openapi.json").json()
    assert isinstance(found, dict)
    return found


def operations(described: dict[str, Any]) -> dict[str, Any]:
    return {one["operationId"]: one for path in described["paths"].values() for one in path.values()}


def test_every_operation_has_an_example(described: dict[str, Any]) -> None:
    """Each operation shows what is sent and what is answered, and both fit what is said of them."""
    found = operations(described)
    assert found.keys() == examples().keys()
    for name, operation in found.items():
        assert operation["description"], name
        answered = [one for status, one in operation["responses"].items() if int(status) < 300]
        shown = [one for good in answered for one in good["content"].values()]
        sent = operation.get("requestBody", {"content": {}})["content"]
        assert sent.keys() <= {"application/json", "multipart/form-data"}, name
        if "application/json" in sent:
            shown.append(sent["application/json"])
        for one in shown:
            schema = one["schema"] | {"components": described["components"]}
            jsonschema_rs.validate(schema, one["example"])


@pytest.fixture(scope="module")
def tools(page: Opened, described: dict[str, Any]) -> tuple[TestClient, dict[str, Operation]]:
    """A client that may do all, and what a tool reads of each operation."""
    client = page.program(Scope.ALL, "tool")
    client.post("/threads", json={"text": TEXT, "hold": True})
    open_ = deepcopy(described)  # bad tokens are the matter of test_access.py
    for operation in operations(open_).values():
        del operation["security"]
    every = schemathesis.openapi.from_dict(open_).get_all_operations()
    found = [one.ok() for one in every if isinstance(one, Ok)]
    return client, {one.definition.raw["operationId"]: one for one in found}


@pytest.mark.parametrize("name", sorted(examples()))
def test_what_tools_make_of_it(tools: tuple[TestClient, dict[str, Operation]], name: str) -> None:
    """Whatever is sent, right or wrong, is answered as described, and never with a fault of ours."""
    client, known = tools
    base, headers = str(client.base_url).rstrip("/"), dict(client.headers)
    right, wrong = (known[name].as_strategy(generation_mode=mode) for mode in GenerationMode)

    @settings(
        max_examples=12,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=right | wrong)
    def ask(case: Case[Any]) -> None:
        sent = case.as_transport_kwargs(base_url=base, headers=headers)
        sent.pop("cookies", None)  # a client has some, a request none
        if isinstance(sent.get("data"), bytes):
            sent["content"] = sent.pop("data")
        if sent.get("files"):  # a field of a form is text, also where it is a number
            sent["files"] = [(key, (file, str(value))) for key, (file, value) in sent["files"]]
        case.validate_response(client.request(**sent), excluded_checks=NOT_ASKED)

    ask()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def served(page: Opened) -> Iterator[str]:
    """The page at a port of this machine, in a thread."""
    server = _Server(uvicorn.Config(page.app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api/v1"
    finally:
        server.should_exit = True
        thread.join()


def test_the_examples_of_the_documentation(tmp_path: Path) -> None:
    """Each example of docs/reference/api.md works as it stands there, one after the other."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/reference/api.md").read_text(), re.DOTALL)
    assert sum(one.count("curl") for one in blocks) > 15
    with opened(tmp_path) as page:
        secret = make(page.database.notes, "doc", Scope.ALL, by="shell:ada", now=page.moment[0])
        with served(page) as address:
            for block in blocks:
                script = block.replace("curl -sS", "curl -sS --fail-with-body")
                done = subprocess.run(
                    ["sh", "-euc", script],
                    cwd=tmp_path,
                    env={"PATH": "/usr/bin:/bin", "API": address, "TOKEN": secret},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"{shlex.quote(block)}\n{done.stdout}{done.stderr}"
        assert (tmp_path / "kettle-again.csv").read_text() == "minute,degrees\n0,20\n5,100\n"
        assert [one.thread_id for one in page.database.reading.deliveries()] == [2]
