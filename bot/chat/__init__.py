"""The chat: Telegram commands, buttons and reports, on the same requests as the shell."""
