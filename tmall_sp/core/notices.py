"""Tells people: a notice in the portal and, where an address is known, the same by e-mail."""

from collections.abc import Iterable

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise

from tmall_sp.core import tasks
from tmall_sp.core.jobs import enqueue
from tmall_sp.core.models import Mail, Notice


def notify(
    recipients: Iterable,
    *,
    key: str,
    subject: str | Promise,
    body: str | Promise,
    link: str = "",
    email: str = "",
) -> None:
    """Write one notice a recipient, in the recipient's language, and queue its mail.

    Call it inside the transaction of the fact that is told: both happen or neither. `key` names the
    fact; the same key is told to the same person once, whatever is repeated. `email` overrides the
    recipient's own address.
    """
    for person in recipients:
        with translation.override(person.language):
            notice, new = Notice.objects.get_or_create(
                recipient=person,
                key=key,
                defaults={"subject": str(subject), "body": str(body), "link": link},
            )
        if new and (address := email or person.email):
            _queue_mail(notice, address)


def _queue_mail(notice: Notice, address: str) -> None:
    body = notice.body + (f"\n\n{settings.SITE_URL}{notice.link}" if notice.link else "")
    mail = Mail.objects.create(to=address, subject=notice.subject, body=body, notice=notice)
    enqueue(tasks.send_mail, mail.pk)


def send_plain(address: str, *, subject: str | Promise, body: str | Promise) -> None:
    """Queue a mail that is no notice, such as a code that proves an address."""
    mail = Mail.objects.create(to=address, subject=str(subject), body=str(body))
    enqueue(tasks.send_mail, mail.pk)
