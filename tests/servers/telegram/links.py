"""Which links Telegram takes, after td/telegram/LinkManager.cpp (check_link)."""

import re
from urllib.parse import urlsplit

LETTERS_OR_NUMBER = re.compile(r"[^\W\d_]{2,}|xn--[\w-]+|\d+", re.IGNORECASE)


def checked_link(link: str) -> str:
    """A link as Telegram stores it. Raises ValueError with Telegram's reason."""
    link = link.strip()
    scheme, separator, rest = link.partition(":")
    if separator and scheme.lower() in {"tg", "ton", "tonsite"}:
        return f"{scheme.lower()}://{rest.removeprefix('//')}"
    if "://" in link and scheme.lower() not in {"http", "https"}:
        raise ValueError("Unsupported URL protocol")
    try:
        parts = urlsplit(link if "://" in link else f"http://{link}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("Wrong HTTP URL") from None
    if not host:
        raise ValueError("URL host is empty")
    if "." not in host.strip(".") or re.search(r"[\s_<>\"]", host):
        raise ValueError("Wrong HTTP URL")
    address = host if port is None else f"{host}:{port}"
    after = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    return f"{parts.scheme}://{address}{after}{f'#{parts.fragment}' if parts.fragment else ''}"


def has_real_host(link: str) -> bool:
    """Whether the servers behind the Bot API, too, take the link for a button."""
    parts = urlsplit(link)
    if parts.scheme not in {"http", "https"}:
        return True
    return LETTERS_OR_NUMBER.fullmatch((parts.hostname or "").rpartition(".")[2]) is not None
