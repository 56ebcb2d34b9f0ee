"""Numbers as they are written in the language that is spoken."""

from threadcast.bot.languages.catalogues import DEFAULT, language


def number(value: int) -> str:
    """Return a whole number, its thousands apart: `12,000`."""
    if language() == DEFAULT:
        return f"{value:,}"
    from babel.numbers import format_decimal  # noqa: PLC0415  # see catalogues

    return format_decimal(value, locale=language())
