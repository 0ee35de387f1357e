"""How a suspected violation gets on the queue: reported by operations, by a merchant, or by the system."""

import datetime as dt
from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from applications.lifecycle import MEMBER, State
from applications.locks import lock_application
from applications.models import Application
from applications.uploads import CheckedFile
from compliance.models import Severity, Violation
from compliance.violations import announcements, files, permissions
from compliance.violations.door import record, refuse_empty
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted

# What is found out after an exit is recorded, and keeps the company out; it moves no money.
REPORTABLE = (*MEMBER, State.EXPELLED, State.EXITED)
MAX_FILES = 5


def report(application_pk: int, *, actor: User | None, severity: str, title: str, facts: str) -> Violation:
    """By a person of operations, who can then neither investigate nor verify it; `actor` None: by the system."""
    if actor is not None and not permissions.may_handle(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))
    with transaction.atomic():
        application = lock_application(application_pk)
        return _open(application, actor, Severity(severity), title, facts)


def report_by_merchant(
    application_pk: int, *, actor: User, title: str, facts: str, uploads: Sequence[UploadedFile] = ()
) -> Violation:
    """By anybody with a Taobao account who has no part in the company; operations find out how severe it is.

    NotPermitted for everybody else; DomainError `empty`, `too_many_reports` (rule `violation.reports_per_day`),
    `too_many_files`, and what the files' check refuses (field `files`).
    """
    refuse_empty(title, "title", _("Say in a few words what it is about."))
    refuse_empty(facts, "facts", _("Write what happened."))
    checked = files.checked(uploads, at_most=MAX_FILES)
    with transaction.atomic():
        application = lock_application(application_pk)
        if not permissions.may_report(actor, application):
            raise NotPermitted("not_permitted", _("You can't report this company."))
        _refuse_too_many(actor)
        return _open(application, actor, Severity.GENERAL, title, facts, files_of=checked)


def report_by_system(application_pk: int, *, trigger: str, title: str, facts: str) -> Violation | None:
    """A general one, once per `trigger`; None if that was reported before, or the company is no provider any more."""
    with transaction.atomic():
        application = lock_application(application_pk)
        known = Violation.objects.filter(trigger=trigger).exists()
        if known or application.state not in REPORTABLE:
            return None
        return _open(application, None, Severity.GENERAL, title, facts, trigger=trigger)


def reports_left(actor: User) -> int:
    """How many this merchant may still report today."""
    today = clock.day_start(clock.today())
    allowed = int(rules.value("violation.reports_per_day"))
    reported = Violation.objects.filter(
        reported_by=actor, reported_at__gte=today, reported_at__lt=today + dt.timedelta(days=1)
    )
    return max(allowed - reported.count(), 0)


def _open(
    application: Application,
    actor: User | None,
    severity: Severity,
    title: str,
    facts: str,
    *,
    trigger: str = "",
    files_of: Sequence[CheckedFile] = (),
) -> Violation:
    if application.state not in REPORTABLE:
        raise DomainError(
            "not_a_provider", _("This company is no provider and never was one."), field="application"
        )
    violation = Violation.objects.create(
        application=application,
        severity=severity,
        title=title.strip(),
        facts=facts.strip(),
        reported_by=actor,
        reported_at=clock.now(),
        trigger=trigger,
    )
    if actor is not None:
        files.add_to_report(violation, files_of, actor=actor)
    announcements.reported(violation, record(violation, "report", before="", actor=actor))
    return violation


def _refuse_too_many(actor: User) -> None:
    """Two reports of one merchant at the same moment, on two companies, wait here for one another."""
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if not reports_left(actor):
        raise DomainError(
            "too_many_reports",
            _("You have reported %(count)s violations today. Please go on tomorrow.")
            % {"count": rules.value("violation.reports_per_day")},
        )
