"""The ledger, its accounts, and whether they are right."""
