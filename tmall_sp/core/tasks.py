"""Workers of the mail outbox: claim → send → record, and the sweep that forgets none."""

import datetime as dt
import logging
import smtplib

from celery import shared_task
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet

from tmall_sp.core import clock
from tmall_sp.core.models import Mail, MailState
from tmall_sp.core.sweeps import for_each

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 12
# A mail claimed longer ago than this belongs to a worker that died.
CLAIM_EXPIRES = dt.timedelta(minutes=2)
SWEEP_SIZE = 200


@shared_task
def send_mail(mail_id: int) -> None:
    """Send one queued mail. Does nothing when another worker has it or it is not due."""
    _send(mail_id)


@shared_task
def sweep_mail() -> None:
    """Send what no worker was told of, or what a dead worker left behind, while the mail server answers."""
    due = _claimable().order_by("due_at").values_list("pk", flat=True)
    for_each(due[:SWEEP_SIZE], _send, give_up_after=1)


def _send(mail_id: int) -> bool:
    """False: the mail server did not take it."""
    mail = _claim(mail_id)
    if mail is None:
        return True
    try:
        EmailMessage(mail.subject, mail.body, to=[mail.to]).send()
    except smtplib.SMTPRecipientsRefused as error:
        _record_failure(mail, error, final=True)
    except (OSError, smtplib.SMTPException) as error:
        _record_failure(mail, error, final=mail.attempts >= MAX_ATTEMPTS)
        return False
    else:
        Mail.objects.filter(pk=mail.pk, state=MailState.SENDING).update(
            state=MailState.SENT, sent_at=clock.now(), error=""
        )
    return True


def _claimable() -> QuerySet[Mail]:
    now = clock.now()
    return Mail.objects.filter(
        Q(state=MailState.QUEUED, due_at__lte=now)
        | Q(state=MailState.SENDING, claimed_at__lt=now - CLAIM_EXPIRES)
    )


@transaction.atomic
def _claim(mail_id: int) -> Mail | None:
    mail = _claimable().select_for_update(skip_locked=True).filter(pk=mail_id).first()
    if mail is None:
        return None
    mail.maybe_twice = mail.maybe_twice or mail.state == MailState.SENDING
    mail.state = MailState.SENDING
    mail.attempts += 1
    mail.claimed_at = clock.now()
    mail.save(update_fields=["maybe_twice", "state", "attempts", "claimed_at"])
    return mail


def _record_failure(mail: Mail, error: Exception, *, final: bool) -> None:
    logger.warning("Mail %s was not sent (attempt %s): %s", mail.pk, mail.attempts, type(error).__name__)
    pause = dt.timedelta(seconds=min(15 * 2**mail.attempts, 3600))
    Mail.objects.filter(pk=mail.pk, state=MailState.SENDING, attempts=mail.attempts).update(
        state=MailState.FAILED if final else MailState.QUEUED,
        due_at=clock.now() + pause,
        error=type(error).__name__,
    )
