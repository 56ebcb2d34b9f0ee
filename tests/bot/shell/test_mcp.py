"""`mcp` offers tools to an assistant: what it adds waits for a person."""

import asyncio
import sys
from typing import Any

import pytest

from tests.bot.shell.typed import Shell

mcp = pytest.importorskip("mcp", reason="the extra threadcast[mcp] is not installed")

TEXT = "1/ A kettle sings before it boils.\n\n2/ Then it stops.\n"


async def call(client: Any, tool: str, **arguments: object) -> dict[str, Any]:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    found = answer.structured_content
    assert isinstance(found, dict)
    return found


def test_an_assistant(shell: Shell) -> None:
    """An assistant previews, adds, lists and, told so, approves; its name stands in the history."""

    shell.env["THREADCAST_DATA"] = str(shell.folder / "data")

    async def talk() -> None:
        args = ["-m", "threadcast.bot", "mcp"]
        parameters = mcp.StdioServerParameters(
            command=sys.executable, args=args, env=shell.env, cwd=shell.folder
        )
        async with mcp.Client(parameters) as client:
            offered = {one.name for one in (await client.list_tools()).tools}
            assert offered == {"add", "preview", "list", "approve"}
            seen = await call(client, "preview", text=TEXT)
            assert len(seen["previews"][0]["posts"]) == 2
            assert (await call(client, "list"))["threads"] == []
            added = await call(client, "add", text=TEXT, at="in 2h")
            (thread,) = added["threads"]
            assert {one["state"] for one in thread["deliveries"]} == {"held"}
            listed = await call(client, "list", state="held", limit=1)
            assert [one["id"] for one in listed["threads"]] == [thread["id"]]
            approved = await call(client, "approve", thread=thread["id"])
            assert {one["state"] for one in approved["deliveries"]} == {"queued"}
            refused = await client.call_tool("approve", {"thread": 99})
            assert refused.is_error
            assert "there is no thread 99" in refused.content[0].text
            refused = await client.call_tool("add", {"text": TEXT, "at": "someday"})
            assert "no time that I can read" in refused.content[0].text

    asyncio.run(talk())
    events = shell.json("events")["events"]
    assert {one["actor"].partition(":")[0] for one in events} == {"mcp"}
    assert [one["what"] for one in events][-1] == "release"


def test_without_the_extra(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package is not installed, that is said, with what to install."""
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    refused = shell("mcp")
    assert refused.exit_code == 4
    assert "threadcast[mcp]" in refused.stderr
