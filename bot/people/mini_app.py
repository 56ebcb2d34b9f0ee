"""Who opens the page as a Mini App, from the bot's menu: what Telegram signed with the bot's token.

https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
"""

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

FRESH: Final = timedelta(minutes=5)
CLOCK_ERROR: Final = timedelta(minutes=1)  # by which our clock may be behind Telegram's
KEY: Final = b"WebAppData"
LONGEST: Final = 8192  # characters
MOST_FIELDS: Final = 50


def signed_by(init_data: str, token: str, *, now: datetime) -> int | None:
    """Return the id of who opened it; None where the token did not sign that, or not lately."""
    if len(init_data) > LONGEST:
        return None
    try:
        given = parse_qsl(init_data, keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
    fields = dict(given)
    signature = fields.pop("hash", "")
    said = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    secret = hmac.digest(KEY, token.encode(), "sha256")
    right = hmac.new(secret, said.encode(), "sha256").hexdigest()
    if not hmac.compare_digest(right.encode(), signature.encode()):
        return None
    try:
        at = datetime.fromtimestamp(int(fields["auth_date"]), UTC)
        number = json.loads(fields["user"])["id"]
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        return None
    is_fresh = now - FRESH < at <= now + CLOCK_ERROR
    return number if is_fresh and isinstance(number, int) else None
