"""What people are told of the queue without asking, beside the cards of threads."""
