"""The chat: Telegram commands, buttons and reports, on the same desk as the shell."""
