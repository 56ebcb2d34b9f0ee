"""The Bot API test server reads markup as Telegram does."""

from typing import Any

import pytest
import telegram
from telegram.constants import ParseMode

from tests.servers.telegram.chats import Chat
from tests.servers.telegram.html import MarkupError, parse_html
from tests.servers.telegram.people import Person
from tests.servers.telegram.text import part, tidy, written
from tests.servers.telegram.wire import Call, refusal, result


def spans(text: str, entities: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(entity["type"], part(text, entity)) for entity in entities]


class TestHtml:
    @pytest.mark.parametrize(
        ("markup", "text", "expected"),
        [
            ("<b>a</b> <strong>b</strong>", "a b", [("bold", "a"), ("bold", "b")]),
            ("<i>a</i><em>b</em>", "ab", [("italic", "ab")]),
            ("<u>a</u> <s>b</s>", "a b", [("underline", "a"), ("strikethrough", "b")]),
            ("<code>a &lt; b</code>", "a < b", [("code", "a < b")]),
            ("<pre>a\nb</pre>", "a\nb", [("pre", "a\nb")]),
            ("<blockquote>a</blockquote>", "a", [("blockquote", "a")]),
            ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", "a")]),
            ("<tg-spoiler>a</tg-spoiler>", "a", [("spoiler", "a")]),
            ('<span class="tg-spoiler">a</span>', "a", [("spoiler", "a")]),
            ("<b>a <i>b</i></b>", "a b", [("bold", "a b"), ("italic", "b")]),
            ("<B>a</> <b>a</B>", "a a", [("bold", "a"), ("bold", "a")]),
            ("🗼 <b>🗼a</b>", "🗼 🗼a", [("bold", "🗼a")]),
            ("<b></b>a", "a", []),
            ("<b>  a</b>  ", "a", [("bold", "a")]),
            ("<b>a <code>b</code> c</b>", "a b c", [("bold", "a "), ("code", "b"), ("bold", " c")]),
            ("&lt;&gt;&amp;&quot;&#65;&#x42;&nbsp;&lt", '<>&"AB&nbsp;<', []),
        ],
    )
    def test_what_is_stored(self, markup: str, text: str, expected: list[tuple[str, str]]) -> None:
        """Markup becomes a plain text and what is how in it, counted in UTF-16 units."""
        found = tidy(*parse_html(markup))

        assert found.text == text
        assert spans(text, found.entities) == expected

    def test_links(self) -> None:
        """A link keeps its address; what is no address is no link; a person is a mention."""
        markup = '<a href="example.org">a</a> <a href="nowhere">b</a> <a href="tg://user?id=5">c</a>'
        found = tidy(*parse_html(markup))

        assert found.text == "a b c"
        assert [(e["type"], e.get("url"), e.get("user", {}).get("id")) for e in found.entities] == [
            ("text_link", "http://example.org/", None),
            ("text_mention", None, 5),
        ]

    @pytest.mark.parametrize(
        ("markup", "expected"),
        [
            ('<pre><code class="language-python">a</code></pre>', {"type": "pre", "language": "python"}),
            ('<code class="language-python"><pre>a</pre></code>', {"type": "pre", "language": "python"}),
            ("<pre><code>a</code></pre>", {"type": "pre"}),
            ('<code class="language-python">a</code>', {"type": "code"}),
        ],
    )
    def test_code_of_a_language(self, markup: str, expected: dict[str, str]) -> None:
        """Code of a language in a block is one entity; alone it has no language."""
        assert tidy(*parse_html(markup)).entities == [{"offset": 0, "length": 1, **expected}]

    @pytest.mark.parametrize(
        ("markup", "words"),
        [
            ("<br>", 'Unsupported start tag "br" at byte offset 0'),
            ("ä < b", 'Unsupported start tag "" at byte offset 3'),
            ("x <b", "Unclosed start tag at byte offset 2"),
            ("<a href", 'Unclosed start tag "a" at byte offset 0'),
            ('<a href="x"', "Unclosed start tag at byte offset 0"),
            ('<a ="x">y</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
            ("<a href=x/>y</a>", "Unexpected end of name token at byte offset 8"),
            ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
            ("x</b>", "Unexpected end tag at byte offset 1"),
            ("<b>x</b", "Unclosed end tag at byte offset 4"),
            ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
            ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
            ('<tg-emoji emoji-id="x">y</tg-emoji>', "Invalid custom emoji identifier specified"),
            ("&#xD800;", "invalid Unicode characters"),
        ],
    )
    def test_what_is_refused(self, markup: str, words: str) -> None:
        """What is no markup of Telegram's is refused in Telegram's words."""
        with pytest.raises(MarkupError) as caught:
            parse_html(markup)

        assert words in str(caught.value)


class TestFound:
    def test_what_telegram_finds(self) -> None:
        """Commands, mentions, hashtags and addresses are found in what people write."""
        text = "/add@example_bot @ada_l #lamps https://example.org/a#b. a/b mail@example 5/6"

        assert spans(text, written(text).entities) == [
            ("bot_command", "/add@example_bot"),
            ("mention", "@ada_l"),
            ("hashtag", "#lamps"),
            ("url", "https://example.org/a#b"),
        ]

    def test_not_in_code(self) -> None:
        """In code and links nothing is found."""
        markup = '<code>/add</code> <a href="https://example.org">#lamps</a>'

        assert [e["type"] for e in tidy(*parse_html(markup)).entities] == ["code", "text_link"]


class TestCalls:
    @pytest.mark.parametrize("mode", ["HTML", "html"])
    def test_a_message(self, call: Call, chat: Chat, mode: str) -> None:
        """A message in HTML shows its text and its entities; without a parse mode the characters stay."""
        text = "*a* <b>_c_</b> &amp;"

        marked = result(call("sendMessage", chat_id="@news", text=text, parse_mode=mode))
        plain = result(call("sendMessage", chat_id="@news", text=text))

        assert marked["text"] == "*a* _c_ &"
        assert marked["entities"] == [{"type": "bold", "offset": 4, "length": 3}]
        assert plain["text"] == text
        assert "entities" not in plain

    def test_refusals(self, call: Call, chat: Chat) -> None:
        """Markup that cannot be read, and an unknown kind of markup, are refused; nothing is stored."""
        broken = call("sendMessage", chat_id="@news", text="<b>a", parse_mode="HTML")
        unknown = call("sendMessage", chat_id="@news", text="a", parse_mode="LaTeX")

        words = "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""
        assert refusal(broken) == (400, words)
        assert refusal(unknown) == (400, "Bad Request: unsupported parse_mode")
        assert chat.messages == {}

    def test_the_limit_is_counted_after_parsing(self, call: Call, chat: Chat) -> None:
        """4096 characters fit, however much markup is around them."""
        text = "<b>" + "&amp;" * 4096 + "</b>"

        assert result(call("sendMessage", chat_id="@news", text=text, parse_mode="HTML"))
        refused = call("sendMessage", chat_id="@news", text=text + "x", parse_mode="HTML")
        assert refusal(refused) == (400, "Bad Request: message is too long")

    def test_nothing_but_markup(self, call: Call, chat: Chat) -> None:
        """Markup around nothing is an empty text."""
        refused = call("sendMessage", chat_id="@news", text="<b> </b>", parse_mode="HTML")

        assert refusal(refused) == (400, "Bad Request: text must be non-empty")

    async def test_an_edit(self, bot: telegram.Bot, ada: Person) -> None:
        """An edit reads markup too; the same text in other markup is another message."""
        sent = await bot.send_message(1111, "<b>a</b>", parse_mode=ParseMode.HTML)
        with pytest.raises(telegram.error.BadRequest, match="not modified"):
            await sent.edit_text("<strong>a</strong>", parse_mode=ParseMode.HTML)

        edited = await sent.edit_text("<i>a</i>", parse_mode=ParseMode.HTML)

        assert isinstance(edited, telegram.Message)
        assert edited.parse_entities() == {edited.entities[0]: "a"}
        assert edited.entities[0].type == "italic"

    async def test_listed_entities(self, bot: telegram.Bot, ada: Person) -> None:
        """Entities may be listed instead of marked; those beyond the text are refused."""
        bold = telegram.MessageEntity("bold", 2, 1)

        sent = await bot.send_message(1111, "a b", entities=[bold])

        assert sent.entities == (bold,)
        with pytest.raises(telegram.error.BadRequest, match="ends after the end of the text"):
            await bot.send_message(1111, "a", entities=[bold])
