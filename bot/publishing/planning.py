"""Which posts of a thread a chain has still to go out with. Pure."""

from collections.abc import Sequence

from threadcast.queue.compose.compose import CannotComposeError, Post
from threadcast.queue.model import Claim


def to_plan(claim: Claim, posts: Sequence[Post]) -> list[Post]:
    """Those not planned yet. Raises CannotComposeError where the queue could not go on with them."""
    planned = max((record.post.part for record in claim.posts), default=0)
    adopted = claim.delivery.adoption.parts if claim.delivery.adoption else 0
    rest = [post for post in posts if post.part > planned]
    if all(post.part <= adopted for post in rest):
        raise CannotComposeError("What is left of the thread has no text to post: add some, or cancel it.")
    if not planned and adopted and rest[0].part > adopted:
        raise CannotComposeError(
            "The parts that are out have no text: cancel it, and adopt it anew with theirs."
        )
    return rest
