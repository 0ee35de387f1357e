"""What a case does to a deposit, what it then owes, and until when it has to be full again."""
