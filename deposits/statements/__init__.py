"""Statements and tables as files."""
