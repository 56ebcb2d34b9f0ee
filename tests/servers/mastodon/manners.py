"""How servers that speak Mastodon's API differ: manners seen on real servers, or read in their sources."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

from tests.servers.http import Closing
from tests.servers.mastodon.budgets import REAL_BUDGETS, Budget


@dataclass(frozen=True, slots=True)
class Manners:
    """What a server does in its own way. The defaults are Mastodon's.

    `ids`: `hash` is the second and a hash, so that ids of one second are in no order. `url_length` None:
    URLs count in full, and code points. `resets`: how `X-RateLimit-Reset` is written, or no headers at all.
    `gone`: the status for a deleted post; `html_errors`: 404 and 410 are pages. `instance_v2` and
    `app_credentials`: the status of those calls. `lenient_parents`: a reply to a missing post is posted
    without a parent. `replay_fails`: a known Idempotency-Key is answered with 500 (Mastodon 4.6.0 to 4.7.1).
    `closing`: see `tests.servers.http`. `narrow_scopes`: whether it knows scopes such as `write:statuses`.
    `challenges`: whether it compares who brings a code with who asked for it (PKCE).
    """

    software: str = "mastodon"
    version: str = "4.5.3"
    source: str | None = "https://github.com/mastodon/mastodon"
    invalid: int = 422  # the status for what does not pass its checks
    keeps_keys: bool = True
    replay_fails: bool = False
    ids: Literal["snowflake", "ulid", "hash"] = "snowflake"
    url_length: int | None = 23
    visibility: str = "public"  # where none is given
    redirects_slashes: bool = False
    budgets: Mapping[str, Budget] = field(default_factory=lambda: REAL_BUDGETS)
    resets: Literal["iso", "epoch", "none"] = "iso"
    instance_v2: int = 200
    app_credentials: int = 200
    gone: int = 404
    html_errors: bool = False
    lenient_parents: bool = False
    closing: Closing = "announced"
    narrow_scopes: bool = True
    challenges: bool = False


MASTODON = Manners(challenges=True)
# https://codeberg.org/superseriousbusiness/gotosocial: one limit, on requests.
GOTOSOCIAL = Manners(
    software="gotosocial",
    version="0.20.2+git-1f2e3d4",
    source="https://codeberg.org/superseriousbusiness/gotosocial",
    invalid=400,
    keeps_keys=False,
    ids="ulid",
    url_length=None,
    visibility="unlisted",
    redirects_slashes=True,
    budgets={"token": Budget(300, timedelta(minutes=5))},
    resets="epoch",
    app_credentials=404,
)
# https://codeberg.org/grunfink/snac2 (mastoapi.c): passes for an old Mastodon.
SNAC = Manners(
    software="snac",
    version="4.0.0 (not true; really snac/2.85)",
    source=None,
    keeps_keys=False,
    ids="hash",
    url_length=None,
    budgets={},
    resets="none",
    app_credentials=404,
    gone=410,
    html_errors=True,
    closing="silent",
)
# https://github.com/jointakahe/takahe (api/views)
TAKAHE = Manners(
    software="takahe",
    version="0.11.0",
    source=None,
    invalid=400,
    keeps_keys=False,
    url_length=None,
    budgets={},
    resets="none",
    instance_v2=500,
    html_errors=True,
    lenient_parents=True,
    closing="late",
    narrow_scopes=False,
)
# https://git.pleroma.social/pleroma/pleroma: limits that no header tells.
PLEROMA = Manners(
    software="pleroma",
    version="2.7.2 (compatible; Pleroma 2.9.1)",
    source="https://git.pleroma.social/pleroma/pleroma",
    url_length=None,
    budgets={},
    resets="none",
)
MANNERS = {one.software: one for one in (MASTODON, GOTOSOCIAL, SNAC, TAKAHE, PLEROMA)}
BEFORE_4_0 = replace(MASTODON, version="3.5.19", instance_v2=404)
FROM_4_6 = replace(MASTODON, version="4.6.0", replay_fails=True)
