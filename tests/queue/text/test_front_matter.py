"""Settings before a thread: what is read as such, what stays text, and what is said of the rest."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadcast.queue.text.front_matter import SettingError, with_settings
from threadcast.queue.text.parse import parse, render
from threadcast.queue.text.settings import LONGEST_LINE, NAMES, NO_SETTINGS, expected
from threadcast.queue.text.thread import NoticeKind, Thread

BODY = "1/ Bread\n2/ Butter /end"
KINDS = {NoticeKind.UNKNOWN_SETTING, NoticeKind.WRONG_SETTING, NoticeKind.NOT_SETTINGS}


def noticed(thread: Thread) -> list[tuple[str, int, str, str]]:
    return [
        (one.kind.value, one.line, next(iter(one.markers), ""), one.text)
        for one in thread.warnings
        if one.kind in KINDS
    ]


@pytest.mark.parametrize(
    ("block", "settled"),
    [
        ("warning: Food", {"warning": "Food"}),
        ("Title:  Two   words\nlanguage: no", {"title": "Two words", "language": "no"}),
        ("at: 18:30\nhold: yes\nsilent: off", {"at": "18:30", "hold": True, "silent": False}),
        ("channels: News, masto", {"channels": ("news", "masto")}),
        ("channels:\n  - news\n  - masto", {"channels": ("news", "masto")}),
        ("channels:\n- news\n- masto", {"channels": ("news", "masto")}),
        ("channels: [news, masto]", {"channels": ("news", "masto")}),
        (
            "reply-visibility: Unlisted\nvisibility: direct",
            {"reply_visibility": "unlisted", "visibility": "direct"},
        ),
        (
            "warning: >\n  so many\n  words\n\nquotes: nobody",
            {"warning": "so many words", "quotes": "nobody"},
        ),
        ("previews: off\n# a remark\nnumbering: total", {"previews": "none", "numbering": "total"}),
        ('warning: ""\nlanguage:', {"warning": ""}),
        ("sensitive: true", {"sensitive": True}),
    ],
)
def test_settings_stand_before_a_thread(block: str, settled: dict[str, Any]) -> None:
    """YAML of any usual shape is read: `no` is Norwegian, 18:30 a time; what is empty is not settled."""
    (thread,) = parse(f"---\n{block}\n---\n\n{BODY}")
    assert thread.settings.given() == settled
    assert [part.text for part in thread.parts] == ["Bread", "Butter /end"]
    assert thread.notices == ()
    assert thread.fingerprint == parse(BODY)[0].fingerprint


def test_each_thread_of_a_text_has_its_own() -> None:
    """The block directly before a thread is its; the next has none of it, and lines keep their numbers."""
    text = f"---\ntitle: One\n---\n{BODY}\n\n---\nlanguage: de\n---\n\n{BODY}\n\n1/ Tea\n2/ Jam /end"
    threads = parse(text)
    assert [one.settings.given() for one in threads] == [{"title": "One"}, {"language": "de"}, {}]
    assert [one.parts[0].line for one in threads] == [4, 11, 14]
    assert [one.title for one in threads] == ["One", "Bread", "Tea"]
    assert not any(one.warnings for one in threads)


def test_a_text_without_numbers_has_settings_at_its_beginning() -> None:
    """The block is no part; the rules behind it separate parts, as always."""
    (thread,) = parse("\n---\nwarning: Food\n---\nBread\n---\nButter")
    assert (thread.settings.warning, [part.text for part in thread.parts]) == ("Food", ["Bread", "Butter"])
    (titled,) = parse("---\nwarning: Food\n---\nA title\n\n1/ Bread\n2/ Butter /end")
    assert (titled.settings.warning, titled.preamble) == ("Food", "A title")


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("title: x\nwaring: Food", ("unknown-setting", 3, "warning", "waring")),
        ("title: x\nfoo: 1", ("unknown-setting", 3, "", "foo")),
        ("visibility: pulic", ("wrong-setting", 2, "visibility", "pulic")),
        ("language: German", ("wrong-setting", 2, "language", "German")),
        ("sensitive: perhaps", ("wrong-setting", 2, "sensitive", "perhaps")),
        ("warning: [a, b]", ("wrong-setting", 2, "warning", "a, b")),
        ("channels: {a: b}", ("wrong-setting", 2, "channels", "")),
        ('channels: ","', ("wrong-setting", 2, "channels", ",")),
        ('title: " "', ("wrong-setting", 2, "title", " ")),
        ("hold: true\nhold: false", ("wrong-setting", 3, "hold", "false")),
        (f"title: {'x' * (LONGEST_LINE + 1)}", ("wrong-setting", 2, "title", "x" * (LONGEST_LINE + 1))),
        ("warning: Food: bread", ("not-settings", 2, "", "warning: Food: bread")),
        ("title: &a x\nwarning: *a", ("not-settings", 3, "", "title: &a x\nwarning: *a")),
        (f"title: {'[' * 4000}", ("not-settings", 2, "", f"title: {'[' * 4000}")),
        ("title: !!python/object/apply:os.system [ls]", ("wrong-setting", 2, "title", "ls")),
    ],
)
def test_what_is_wrong_holds_the_thread_and_names_its_line(block: str, said: tuple[Any, ...]) -> None:
    """A misspelt key, a value that cannot be, no YAML, aliases, tags: one warning each, and no post."""
    (thread,) = parse(f"---\n{block}\n---\n{BODY}")
    assert noticed(thread) == [said]
    assert [part.text for part in thread.parts] == ["Bread", "Butter /end"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Bread\n---\ntitle: x\n---\nButter", ["Bread", "title: x", "Butter"]),
        ("---\n- a\n- b\n---\nBread", ["- a\n- b", "Bread"]),
        ("---\nwaring: x\n---\nBread", ["waring: x", "Bread"]),
        (
            "1/ Bread\n2/ Butter\n---\ntitle: x\n---\nand jam",
            ["Bread", "Butter\n---\ntitle: x\n---\nand jam"],
        ),
    ],
)
def test_what_may_be_meant_as_settings_and_is_none_stays_text(text: str, parts: list[str]) -> None:
    """It is where it was, and a warning holds the thread."""
    (thread,) = parse(text)
    assert [part.text for part in thread.parts] == parts
    assert [one[0] for one in noticed(thread)] == ["not-settings"]
    assert thread.settings == NO_SETTINGS


@pytest.mark.parametrize(
    "text", ["---\nBread\n---\nButter", "Bread\n---\nNote: it is warm\n---\nButter", "---\n\n---"]
)
def test_rules_between_parts_are_rules(text: str) -> None:
    """Where no key is a setting there is nothing to say."""
    assert not any(noticed(thread) for thread in parse(text))


def test_two_blocks_before_one_thread_are_both_its() -> None:
    """At the beginning of a text as between two threads; where both settle a thing, the one below counts."""
    blocks = "---\ntitle: x\nlanguage: fr\n---\n\n---\nlanguage: de\n---\n"
    for text in (f"{blocks}{BODY}", f"1/ Tea\n2/ Jam /end\n\n{blocks}{BODY}"):
        thread = parse(text)[-1]
        assert thread.settings.given() == {"title": "x", "language": "de"}
        assert [part.text for part in thread.parts] == ["Bread", "Butter /end"]


def test_a_block_that_is_text_again_may_make_another_one_text() -> None:
    """What a block says that belongs to no thread may be markers, by which another stands before none."""
    text = (
        "title: c 2/3\n---\nlanguage: de 1/3\ntitle: c 2/3\n---\ntail\n---\nwarning: y 2/\n---\n1/ a\n"
        "warning: b 2/2\nquotes: z 3/3\ntitle: x\ntitle: c 2/3\n1/ c\np 1/\ntitle: c 2/3"
    )
    threads = parse(text)
    assert all(thread.settings == NO_SETTINGS for thread in threads)
    assert sum(len(noticed(thread)) for thread in threads) == 2


def test_settings_alone_are_no_thread() -> None:
    """They are never posted."""
    assert parse("---\ntitle: x\n---\n") == ()


def test_a_bomb_of_aliases_is_one_warning() -> None:
    """Nine lines that would mean a billion values are refused at the first alias."""
    lines = ["title: &a0 x", *(f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))]
    (thread,) = parse("---\n" + "\n".join(lines) + f"\n---\n{BODY}")
    assert [one[:2] for one in noticed(thread)] == [("not-settings", 3)]


LINES = st.text(max_size=80).filter(lambda text: "".join(text.split()).isprintable())
VALUES: dict[str, st.SearchStrategy[str]] = {
    "title": LINES.filter(str.strip),
    "warning": LINES,
    "sensitive": st.sampled_from(["true", "false"]),
    "language": st.sampled_from(["de", "no", "pt-BR"]),
    "visibility": st.sampled_from(["public", "direct"]),
    "reply_visibility": st.sampled_from(["unlisted", "private"]),
    "quotes": st.sampled_from(["nobody", "followers"]),
    "channels": st.sampled_from(["news", "news, masto"]),
    "at": st.sampled_from(["fri 18:30", "18:30", "2026-12-24 18:30"]),
    "numbering": st.sampled_from(["keep", "none"]),
    "silent": st.sampled_from(["true", "false"]),
    "previews": st.sampled_from(["first", "all", "none"]),
    "hold": st.sampled_from(["true", "false"]),
}
BODIES = st.sampled_from(
    [BODY, "Bread\n---\nButter", "Head\n\n1/ a\n2/ b", "Bread 1/2\nButter 2/2", "---\nx"]
)


@given(st.fixed_dictionaries({}, optional=VALUES), BODIES)
def test_settings_come_back_from_what_is_rendered(values: dict[str, str], body: str) -> None:
    """A thread with any settings is the same after `render` and `parse`; without them, it is bare again."""
    (bare,) = parse(body)
    thread = with_settings(bare, values)
    (again,) = parse(render(thread))
    assert (again.settings, again.front) == (thread.settings, thread.front)
    assert [part.text for part in again.parts] == [part.text for part in thread.parts]
    assert len(thread.settings.given()) == len(values)
    assert with_settings(thread, dict.fromkeys(values)) == bare


def test_a_change_keeps_what_is_not_named() -> None:
    """Other settings stay, wrong ones with their warning; what cannot be read is not changed."""
    (thread,) = parse(f"---\nwarning: Food\nfoo: 1\nvisibility: pulic\n---\n{BODY}")
    changed = with_settings(thread, {"visibility": "direct", "warning": None, "language": "de"})
    assert changed.settings.given() == {"visibility": "direct", "language": "de"}
    assert [one[0] for one in noticed(changed)] == ["unknown-setting"]
    with pytest.raises(SettingError) as caught:
        with_settings(thread, {"visibility": "pulic"})
    assert (caught.value.name, caught.value.value) == ("visibility", "pulic")
    (broken,) = parse(f"---\nwarning: Food: bread\n---\n{BODY}")
    with pytest.raises(SettingError):
        with_settings(broken, {"language": "de"})


def test_every_setting_says_what_is_expected() -> None:
    """There is a sentence for each."""
    assert all(expected(name) for name in NAMES)
