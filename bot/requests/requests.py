"""What a person can ask for, once for every face: shell, chat, intake folder.

A request returns values that say what was found or changed; how they look is the face's business.
"""

from threadcast.bot.requests.chains import Chains
from threadcast.bot.requests.changes import Changes
from threadcast.bot.requests.context import Context
from threadcast.bot.requests.queries import Queries
from threadcast.bot.requests.threads import Threads


class Requests:
    """The requests of one person."""

    def __init__(self, context: Context) -> None:
        self.channels = context.channels
        self.queries = Queries(context)
        self.threads = Threads(context)
        self.changes = Changes(context)
        self.chains = Chains(context)
