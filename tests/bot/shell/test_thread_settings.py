"""Settings of one thread, in the shell: before a text, as options, changed later, and shown."""

import json
from datetime import timedelta

import pytest

from tests.bot.shell.typed import GAP, OTHER, THREAD, Shell
from threadcast.bot.channels.port import now
from threadcast.bot.shell.exits import Exit

FRONT = "---\nwarning: Food\nlanguage: de\nnumbering: total\n---\n"


def test_settings_are_shown_wherever_the_thread_is(shell: Shell) -> None:
    """`add`, `preview`, `show`, `export` and JSON tell them; the posts are as they are settled."""
    file = shell.write(FRONT + THREAD)
    line = "settings: warning: Food; language: de; numbering: total"
    assert line in shell.ok("add", "--dry-run", file)
    preview = shell.ok("preview", file)
    assert line in preview
    assert "⚠️ Food\n1/3 The lamp" in preview  # on the timeline like Telegram
    assert line in shell.ok("add", file)
    assert line in shell.ok("show", "1")
    settled = {"warning": "Food", "language": "de", "numbering": "total"}
    assert shell.json("show", "1")["thread"]["settings"] == settled
    assert shell.ok("export", "1") == FRONT + THREAD
    shell.publish_all()
    news, masto = (
        [
            json.loads(entry)
            for entry in (shell.folder / "threadcast-data" / name).read_text().splitlines()[1:]
        ]
        for name in ("news.jsonl", "masto.jsonl")
    )
    assert [one["text"] for one in news][:1] == ["⚠️ Food\n1/3 The lamp was lit at dusk. ⬇️"]
    assert [one["text"] for one in masto][:1] == ["1/3 The lamp was lit at dusk. ⬇️"]
    assert {one["warning"] for one in [*news, *masto]} == {"Food"}
    page = (shell.folder / "threadcast-data" / "timeline.html").read_text()
    assert page.count('<summary><span dir="auto">Food</span></summary>') == 3
    assert page.count('<span class="spoiler" tabindex="0">') == 3


def test_options_go_before_what_stands_in_the_text(shell: Shell) -> None:
    """`add --warning …` and its like win; they are exported with the thread."""
    file = shell.write(FRONT + THREAD)
    shell.ok("add", "--warning", "Bread: fresh", "--no-sensitive", "--previews", "off", file)
    settled = {"language": "de", "numbering": "total", "warning": "Bread: fresh", "sensitive": False}
    assert shell.json("show", "1")["thread"]["settings"] == settled | {"previews": "none"}
    assert shell.json("add", "--again", "--dry-run", shell.write(shell.ok("export", "1")))["threads"][0][
        "settings"
    ] == settled | {"previews": "none"}
    refused = shell("add", "--visibility", "pulic", shell.write(OTHER))
    assert refused.exit_code == Exit.INPUT
    assert "visibility has to be public, unlisted, private or direct, and not “pulic”" in refused.stderr
    assert shell("show", "2").exit_code == Exit.NOT_FOUND


def test_channels_time_and_hold_count_when_a_thread_is_added(shell: Shell) -> None:
    """They act as the options do, which win over them."""
    file = shell.write("---\nchannels: news\nat: in 2h\nhold: yes\n---\n" + THREAD)
    (delivery,) = shell.json("add", file)["threads"][0]["deliveries"]
    assert (delivery["channel"], delivery["state"]) == ("news", "held")
    assert delivery["reason"] == "its settings ask for that"
    assert delivery["due"] > (now() + timedelta(minutes=90)).isoformat()
    other = shell.write("---\nchannels: news\nat: in 2h\n---\n" + OTHER)
    (delivery,) = shell.json("add", "-c", "masto", "--at", "in 1h", other)["threads"][0]["deliveries"]
    assert (delivery["channel"], delivery["state"]) == ("masto", "queued")
    assert delivery["due"] < (now() + timedelta(minutes=90)).isoformat()


def test_a_text_does_not_approve_itself(shell: Shell) -> None:
    """On a channel that holds every thread, who adds one may let it go; a text that says so is held."""
    shell.env["THREADCAST_CHANNELS__NEWS__HOLD"] = "true"
    approval = "this channel holds every thread for approval"
    for text, words, state, reason in (
        (THREAD, (), "held", approval),
        (
            "---\nhold: false\n---\n" + OTHER,
            (),
            "held",
            f"{approval}; hold: false in its text does not change",
        ),
        ("---\nhold: true\n---\n1/ Rain.\n2/ Sun. /end\n", ("--no-hold",), "queued", ""),
        ("1/ Snow.\n2/ Ice. /end\n", ("--no-hold",), "queued", ""),
        ("1/ Ice.\n3/ Thaw. /end\n", ("--no-hold",), "held", "number 2 is missing"),
    ):
        added = shell.json("add", "-c", "news", *words, shell.write(text))["threads"][0]["deliveries"]
        assert [one["state"] for one in added] == [state]
        assert added[0]["reason"].startswith(reason)
    refused = shell("set", "1", "hold=false")
    assert "counts when a thread is added; now use the commands hold and release" in refused.stderr


@pytest.mark.parametrize(
    ("front", "said"),
    [
        ("channels: nwes", "there is no channel called nwes"),
        ("at: yesterday", "its setting at: “yesterday”"),
    ],
)
def test_what_cannot_be_as_a_thread_wishes_adds_nothing(shell: Shell, front: str, said: str) -> None:
    """A channel that is not there, a time that cannot be: one sentence, and nothing half added."""
    file = shell.write(f"---\n{front}\n---\n{THREAD}\n{GAP}")
    result = shell("add", file)
    assert result.exit_code != 0
    assert said in result.stderr
    assert shell.json("queue")["deliveries"] == []


def test_set_changes_settings_of_a_thread_that_has_not_begun(shell: Shell) -> None:
    """`set` changes some and leaves others to the channels again; when and where are other commands."""
    shell.ok("add", shell.write(FRONT + THREAD))
    shell.ok("set", "1", "warning=", "language=fr", "reply-visibility=public")
    settled = {"numbering": "total", "language": "fr", "reply_visibility": "public"}
    assert shell.json("show", "1")["thread"]["settings"] == settled
    for words, said in (
        (("langauge=fr",), "there is no setting “langauge”"),
        (("language=French",), "a language code such as en, de or pt-BR"),
        (("at=18:30",), "at counts when a thread is added"),
        (("language",), "has to be NAME=VALUE"),
    ):
        result = shell("set", "1", *words)
        assert result.exit_code != 0
        assert said in result.stderr
    shell.publish_all()
    assert "has begun" in shell("set", "1", "language=de").stderr


def test_what_goes_on_from_a_thread_has_no_settings(shell: Shell) -> None:
    """They stand at a thread's beginning alone."""
    shell.ok("add", shell.write(OTHER))
    more = shell.write("---\nwarning: Food\n---\n3/ Fog again. /end\n")
    assert "a thread has them at its beginning alone" in shell("add", "--continue", "1", more).stderr


def test_settings_that_are_wrong_hold_the_thread(shell: Shell) -> None:
    """What is wrong is said with its line and what was expected."""
    said = shell.ok("add", shell.write("---\nvisiblity: direct\nquotes: all\n---\n" + THREAD))
    assert "line 2: there is no setting “visiblity”; visibility may be meant" in said
    assert "line 3: the setting quotes has to be public, followers or nobody, and not “all”" in said
    assert {one["state"] for one in shell.json("queue")["deliveries"]} == {"held"}


def test_a_long_chain_says_what_visitors_will_miss(shell: Shell) -> None:
    """From 22 posts on Mastodon, `add` and `preview` say what visitors see, and what would show all."""
    name = "THREADCAST_CHANNELS__SOCIAL__"
    shell.env |= {
        f"{name}KIND": "mastodon",
        f"{name}URL": "http://127.0.0.1:9",
        f"{name}TOKEN": "a-token-of-it",
    }
    text = "".join(f"{number}/ Watch {number}.\n" for number in range(1, 23)) + "23/ Day. /end\n"
    said = f"see the first 21 of 23 posts on social; all of them with {name}DEPTH=20"
    assert said in " ".join(shell.ok("preview", "-c", "social", shell.write(text)).split())
    assert said in " ".join(shell.ok("add", shell.write(text)).split())
    assert [one["seen"] for one in shell.json("preview", "1")] == [[], [], [{"thread": 1, "posts": 21}]]
    shell.env[f"{name}DEPTH"] = "20"
    assert "logged in" not in shell.ok("preview", "1")
    assert shell.json("preview", "-c", "social", shell.write("Bread. " * 6000))[0]["seen"] == [
        {"thread": 1, "posts": 61}
    ]


def test_a_preview_says_what_is_added_later(shell: Shell) -> None:
    """With ALSO, preview says that the chain gets a link, and to where; never to a local timeline."""
    name = "THREADCAST_CHANNELS__SOCIAL__"
    shell.env |= {
        f"{name}KIND": "mastodon",
        f"{name}URL": "http://127.0.0.1:9",
        f"{name}TOKEN": "a-token-of-it",
    }
    said = "once the thread is whole on social too, its last post on news gets a link to it"
    shell.ok("add", shell.write(THREAD))
    assert said not in " ".join(shell.ok("preview", "1").split())
    shell.env["THREADCAST_CHANNELS__NEWS__ALSO"] = "social"
    assert said in " ".join(shell.ok("preview", "1").split())
    assert [one["also"] for one in shell.json("preview", "-c", "news", "-c", "masto", "1")] == ["social", ""]
    shell.env["THREADCAST_CHANNELS__NEWS__ALSO"] = "masto"
    assert (
        "ALSO: expected the name of another channel, on Telegram or Mastodon" in shell("preview", "1").stderr
    )
