"""The merchant's portal. A view reads through a selector, calls a service, and redirects."""
