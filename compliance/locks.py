"""A violation's row lock: always after its application's."""

from applications.locks import lock_application
from applications.models import Application
from compliance.models import Violation


def lock_violation(pk: int) -> tuple[Application, Violation]:
    """The application, then its violation, both read under lock. The caller must be in a transaction.

    Violation.DoesNotExist if there is none.
    """
    # Which application a violation belongs to never changes, so this read needs no lock.
    application = lock_application(Violation.objects.values_list("application_id", flat=True).get(pk=pk))
    return application, Violation.objects.select_for_update(of=("self",)).get(pk=pk)
