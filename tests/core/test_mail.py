"""The outbox: a mail is a row first, sent once, and not lost with a worker or a mail server."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, tasks
from tmall_sp.core.models import Mail, MailState, Notice
from tmall_sp.core.notices import notify


@pytest.fixture(autouse=True)
def _real_mail_server(settings: Any) -> None:
    """Django's test runner puts an outbox in memory in its place."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def mail(merchant: User) -> Mail:
    notify([merchant], key="greeting", subject="你好", body="欢迎", link="/console/")
    return Mail.objects.get()


def test_a_notice_is_told_once_whatever_is_repeated(merchant: User) -> None:
    for _ in range(3):
        notify([merchant], key="greeting", subject="你好", body="欢迎")

    assert Notice.objects.count() == Mail.objects.count() == 1


def test_a_mail_arrives_with_its_link(mail: Mail, sandbox: SandboxClient, settings: Any) -> None:
    tasks.send_mail(mail.pk)

    mail.refresh_from_db()
    assert mail.state == MailState.SENT
    [received] = sandbox.mails()
    assert received["subject"] == "你好"
    assert f"{settings.SITE_URL}/console/" in received["text"]


def test_a_mail_server_that_is_down_loses_nothing(mail: Mail, settings: Any, move_clock: Callable) -> None:
    settings.EMAIL_PORT = 1

    tasks.send_mail(mail.pk)

    mail.refresh_from_db()
    assert mail.state == MailState.QUEUED
    assert mail.due_at > clock.now()
    assert mail.error


def test_a_mail_left_by_a_dead_worker_is_sent_by_the_sweep(
    mail: Mail, sandbox: SandboxClient, move_clock: Callable
) -> None:
    Mail.objects.update(state=MailState.SENDING, claimed_at=clock.now() - dt.timedelta(minutes=5))

    tasks.sweep_mail()

    mail.refresh_from_db()
    assert (mail.state, mail.maybe_twice) == (MailState.SENT, True)


def test_a_mail_that_another_worker_has_is_left_alone(mail: Mail) -> None:
    Mail.objects.update(state=MailState.SENDING, claimed_at=clock.now())

    tasks.send_mail(mail.pk)

    mail.refresh_from_db()
    assert mail.attempts == 0
