"""Days as they are written in the language that is spoken; times of the day are the same in all of them."""

from datetime import date

from threadcast.bot.languages.catalogues import DEFAULT, language


def written(day: date, skeleton: str, english: str) -> str:
    """Return a day with the fields of a skeleton, in the order of its language; `english` is for strftime.

    https://www.unicode.org/reports/tr35/tr35-dates.html#availableFormats_appendItems
    """
    if language() == DEFAULT:
        return f"{day:{english}}"
    from babel.dates import format_skeleton  # noqa: PLC0415  # see catalogues

    return format_skeleton(skeleton, day, locale=language())


def weekday(day: date) -> str:
    """Return the name of a day of the week: `Friday`."""
    if language() == DEFAULT:
        return f"{day:%A}"
    from babel.dates import format_date  # noqa: PLC0415  # see catalogues

    return format_date(day, "EEEE", locale=language())
