"""The row lock that everything about one membership waits for.

The application row is the mutex: whoever changes the application, its deposit, refunds or cases locks it
first, then at most rows of its own, by primary key. Opposite orders deadlock.
"""

from applications.models import Application


def lock_application(pk: int) -> Application:
    """The application, read under its lock. The caller must be in a transaction.

    Application.DoesNotExist if there is none.
    """
    return Application.objects.select_for_update(of=("self",)).get(pk=pk)
