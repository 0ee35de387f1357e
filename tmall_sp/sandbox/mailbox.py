"""The demo's mail: an SMTP server that keeps what it takes, and the pages on which it is read."""

from __future__ import annotations

import asyncio
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from . import clock
from .models import Mail

LINK = re.compile(r"https?://[^\s<>\"']+")
HTML_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups"
LIST_LIMIT = 200


class Inbox:
    """Takes every mail; the 250 is given after it is stored."""

    async def handle_DATA(self, server: SMTP, session: SmtpSession, envelope: Envelope) -> str:
        await asyncio.to_thread(
            store, envelope.mail_from or "", list(envelope.rcpt_tos), _bytes(envelope.content)
        )
        return "250 OK"


def _bytes(content: str | bytes | None) -> bytes:
    return content.encode() if isinstance(content, str) else content or b""


def store(sender: str, recipients: list[str], raw: bytes) -> Mail:
    subject = str(_parsed(raw).get("subject", ""))[:500]
    return Mail.objects.create(
        received_at=clock.now(), sender=sender, recipients=recipients, subject=subject, raw=raw
    )


def start_server() -> None:
    """Listen on SMTP_PORT in a thread of its own, for as long as the process lives."""
    Controller(
        Inbox(), hostname=settings.LISTEN_HOST, port=settings.SMTP_PORT, server_hostname="sandbox"
    ).start()


def _parsed(raw: bytes | memoryview) -> EmailMessage:
    message = message_from_bytes(bytes(raw), policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError("the default policy gives an EmailMessage")
    return message


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    return "" if body is None else str(body.get_content())


def as_json(mail: Mail) -> dict[str, Any]:
    message = _parsed(mail.raw)
    text = _part(message, "plain")
    return {
        "id": mail.pk,
        "received_at": mail.received_at.isoformat(),
        "from": mail.sender,
        "to": mail.recipients,
        "subject": mail.subject,
        "text": text,
        "html": _part(message, "html"),
        "links": LINK.findall(text),
        "attachments": [part.get_filename() for part in message.iter_attachments()],
    }


@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """`/mail/`: newest first; `?to=` narrows it to one address."""
    wanted = request.GET.get("to", "").strip()
    mails = Mail.objects.order_by("-id").defer("raw")
    if wanted:
        mails = mails.filter(recipients__icontains=wanted)
    return render(request, "sandbox/mail_list.html", {"mails": mails[:LIST_LIMIT], "to": wanted})


@require_GET
def mail(request: HttpRequest, number: int) -> HttpResponse:
    return render(request, "sandbox/mail.html", {"mail": as_json(get_object_or_404(Mail, pk=number))})


@require_GET
def mail_html(request: HttpRequest, number: int) -> HttpResponse:
    """The HTML part alone, under a policy in which it can run and load nothing."""
    content = _part(_parsed(get_object_or_404(Mail, pk=number).raw), "html")
    return HttpResponse(content, headers={"Content-Security-Policy": HTML_POLICY})
