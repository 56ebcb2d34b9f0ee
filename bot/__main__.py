"""`python -m threadcast.bot` is `threadcast`."""

from threadcast.bot.shell.cli import main

main()
