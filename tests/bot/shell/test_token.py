"""`token` lets programs use the API, and takes that back."""

from tests.bot.shell.typed import Shell


def test_new_list_revoke(shell: Shell) -> None:
    """A new token is shown once; the list has its name, its scope and its last use, not the secret."""
    assert "threadcast token new NAME" in shell.ok("token", "list")
    shell.env["THREADCAST_WEB__LISTEN"] = "127.0.0.1:8480"
    said = shell.ok("token", "new", "ci", "--scope", "add").splitlines()
    assert said[0].startswith("threadcast_")
    assert "add threads" in said[1]
    assert said[2].endswith("http://127.0.0.1:8480/api/v1")
    listed = shell.ok("token", "list")
    assert "never" in listed
    assert said[0] not in listed
    (one,) = shell.json("token", "list")["tokens"]
    assert (one["name"], one["scope"], one["used"]) == ("ci", "add", None)
    assert "ci (add)" in shell.ok("events")
    assert said[0] not in shell.ok("events")
    assert "good for nothing" in shell.ok("token", "revoke", "ci")
    assert shell.json("token", "list") == {"tokens": []}


def test_a_name_is_taken_once(shell: Shell) -> None:
    """A name that is taken is not given again unawares: that would end the token that has it."""
    made = shell.json("token", "new", "ci")
    assert (made["name"], made["scope"]) == ("ci", "read")
    refused = shell("token", "new", "ci")
    assert refused.exit_code == 7
    assert "threadcast token revoke ci" in refused.stderr


def test_wrong_usage(shell: Shell) -> None:
    """What cannot be meant is said, with what to type."""
    for words, said in (
        (("new",), "new and revoke take one"),
        (("list", "ci"), "list takes no name"),
        (("new", "Über-CI"), "a-z, 0-9"),
        (("new", "-x-"), ""),
        (("revoke", "ci", "--scope", "all"), "make it anew"),
    ):
        refused = shell("token", *words)
        assert (refused.exit_code, words) == (2, words)
        assert said in refused.stderr
    assert shell("token", "revoke", "nobody").exit_code == 6


def test_no_page(shell: Shell) -> None:
    """Where nothing is served a token is made all the same, and that is said."""
    shell.env["THREADCAST_WEB__LISTEN"] = "off"
    assert "THREADCAST_WEB__LISTEN is off" in shell.ok("token", "new", "ci")
