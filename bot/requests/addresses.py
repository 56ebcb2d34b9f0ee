"""The address of a post, as a person copies it from a browser."""

from threadcast.queue.states import Sent


def post_at(address: str) -> Sent:
    """The post of an address like https://t.me/channel/113 or https://social.example/@me/113.

    The last step of the path is the platform's id. A bare id is one without an address.
    """
    path = address.partition("#")[0].partition("?")[0].rstrip("/")
    return Sent(path.rsplit("/", 1)[-1], address if "://" in address else None)
