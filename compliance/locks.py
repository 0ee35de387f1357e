"""Row locks of this app: always after the application's lock (applications/locks.py).

Which application a case belongs to never changes, so the read that finds it needs no lock.
"""

from applications.locks import lock_application
from applications.models import Application
from compliance.models import Complaint, Declaration, Review, ServedShop, Violation


def lock_violation(pk: int) -> tuple[Application, Violation]:
    """The application, then its violation, both read under lock. The caller must be in a transaction.

    Violation.DoesNotExist if there is none.
    """
    application = lock_application(Violation.objects.values_list("application_id", flat=True).get(pk=pk))
    return application, Violation.objects.select_for_update(of=("self",)).get(pk=pk)


def lock_complaint(pk: int) -> Complaint:
    """The complaint, after its application: `complaint.application` is read under lock, too.

    The caller must be in a transaction. Complaint.DoesNotExist if there is none.
    """
    application = lock_application(Complaint.objects.values_list("application_id", flat=True).get(pk=pk))
    complaint = Complaint.objects.select_for_update(of=("self",)).get(pk=pk)
    complaint.application = application
    return complaint


def lock_served_shop(pk: int) -> tuple[Application, ServedShop]:
    """The application, then one of its shops, both read under lock. The caller must be in a transaction.

    ServedShop.DoesNotExist if there is none.
    """
    application = lock_application(ServedShop.objects.values_list("application_id", flat=True).get(pk=pk))
    shop = ServedShop.objects.select_for_update(of=("self",)).select_related("owner").get(pk=pk)
    return application, shop


def lock_declaration(pk: int) -> tuple[Application, Declaration]:
    """The application, then one of its declarations, both read under lock. The caller must be in a transaction.

    Declaration.DoesNotExist if there is none.
    """
    application = lock_application(Declaration.objects.values_list("application_id", flat=True).get(pk=pk))
    row = Declaration.objects.select_for_update(of=("self",)).select_related("served_shop__owner").get(pk=pk)
    return application, row


def lock_review(pk: int) -> tuple[Application, Review]:
    """The application, then one of its reviews, both read under lock. The caller must be in a transaction.

    Review.DoesNotExist if there is none.
    """
    application = lock_application(Review.objects.values_list("application_id", flat=True).get(pk=pk))
    row = Review.objects.select_for_update(of=("self",)).select_related("author", "served_shop").get(pk=pk)
    return application, row
