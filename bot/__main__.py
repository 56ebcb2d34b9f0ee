"""`python -m threadcast.bot` is `threadcast`."""

from threadcast.bot.cli import main

main()
