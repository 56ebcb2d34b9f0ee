"""What is wrong with a file, in one sentence."""


class MediaError(Exception):
    """A file cannot be used; the message names it, the cause and the next step."""
