"""`setup`: from nothing to channels that publish."""

import click

from threadcast.bot.shell.exits import Exit
from threadcast.bot.shell.setup.asking import secret_of
from threadcast.bot.shell.setup.steps import STEPS, Wishes, set_up

TOKENS = "A file with it, - for standard input."


@click.command()
@click.option("--bot-token-file", metavar="FILE", help=f"The bot's token. {TOKENS}")
@click.option("--admin", metavar="ID", help="Your numeric Telegram id, in place of a link.")
@click.option("--chat", metavar="CHAT", help="The channel to post in, in place of a button.")
@click.option("--mastodon", "server", metavar="SERVER", help="The server of your Mastodon account.")
@click.option("--mastodon-code", "code", metavar="CODE", help="What the server showed when you allowed it.")
@click.option("--mastodon-token-file", metavar="FILE", help=f"An access token, in place of a code. {TOKENS}")
@click.option("--test/--no-test", default=None, help="Publish two test posts, and take them down again.")
@click.option("--without", type=click.Choice(STEPS), multiple=True, help="Leave a step out; may be repeated.")
def setup(
    bot_token_file: str | None,
    admin: str | None,
    chat: str | None,
    server: str | None,
    code: str | None,
    mastodon_token_file: str | None,
    test: bool | None,
    without: tuple[str, ...],
) -> None:
    """Set up bot, owner, channels, and try them.

    Asks for what is not set up yet, checks it, and keeps it in `.env`. A script gives it as options, and is
    told the one that is missing.

    \b
    Examples:
      threadcast setup
      threadcast setup --without telegram --mastodon mastodon.social
      threadcast setup --bot-token-file token --admin 1111 \\
        --chat @my_channel --without mastodon --test
    """
    wishes = Wishes(
        bot_token=secret_of(bot_token_file),
        admin=admin,
        chat=chat,
        server=server,
        code=code,
        access_token=secret_of(mastodon_token_file),
        test=test,
        without=frozenset(without),
    )
    if not set_up(wishes):
        click.get_current_context().exit(Exit.CHECK_FAILED)
