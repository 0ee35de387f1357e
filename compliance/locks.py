"""Row locks of this app: always after the application's lock (applications/locks.py).

Which application a case belongs to never changes, so the read that finds it needs no lock.
"""

from applications.locks import lock_application
from applications.models import Application
from compliance.models import Complaint, Violation


def lock_violation(pk: int) -> tuple[Application, Violation]:
    """The application, then its violation, both read under lock. The caller must be in a transaction.

    Violation.DoesNotExist if there is none.
    """
    application = lock_application(Violation.objects.values_list("application_id", flat=True).get(pk=pk))
    return application, Violation.objects.select_for_update(of=("self",)).get(pk=pk)


def lock_complaint(pk: int) -> tuple[Application, Complaint]:
    """The application, then its complaint, both read under lock. The caller must be in a transaction.

    Complaint.DoesNotExist if there is none.
    """
    application = lock_application(Complaint.objects.values_list("application_id", flat=True).get(pk=pk))
    complaint = Complaint.objects.select_for_update(of=("self",)).select_related("application").get(pk=pk)
    return application, complaint
