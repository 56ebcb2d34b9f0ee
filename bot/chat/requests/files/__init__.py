"""What a person asks about the files of a thread."""
