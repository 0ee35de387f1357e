"""Who acts in the demo's stories."""

from tmall_sp.accounts.models import User


def staff(login: str) -> User:
    """One of the demo's staff (accounts/demo_staff.py)."""
    return User.objects.get(username=login)
