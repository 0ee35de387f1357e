"""What every app needs: dated rules, notices to people, and the mails that carry them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tmall_sp.core import clock
from tmall_sp.core.append_only import protect


class RuleVersion(models.Model):
    """One dated version of a number that the programme may change: see `tmall_sp.core.rules`."""

    name = models.CharField(_("rule"), max_length=60)
    version = models.PositiveIntegerField(_("version"))
    value = models.JSONField(_("value"))
    valid_from = models.DateTimeField(_("valid from"))
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("rule version")
        verbose_name_plural = _("rule versions")
        ordering = ["name", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="rule_version_once")]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Notice(models.Model):
    """What a person is told, in the portal; the same text goes out by e-mail."""

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="notices",
        verbose_name=_("recipient"),
    )
    key = models.CharField(max_length=120)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    link = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["recipient", "key"], name="notice_once")]
        indexes = [models.Index(fields=["recipient", "-created_at", "-id"], name="notice_recent")]

    def __str__(self) -> str:
        return self.subject


class MailState(models.TextChoices):
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("being sent")
    SENT = "sent", pgettext_lazy("state", "sent")
    FAILED = "failed", _("failed")


class Mail(models.Model):
    """The outbox: a row before it is a mail, so that none is lost with a worker or a mail server."""

    to = models.EmailField(pgettext_lazy("mail", "to"))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    notice = models.OneToOneField(
        Notice, null=True, blank=True, on_delete=models.PROTECT, related_name="mail"
    )
    state = models.CharField(_("state"), max_length=8, choices=MailState, default=MailState.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"), default=clock.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=200, blank=True)
    # A worker died while sending: the person may get this mail a second time.
    maybe_twice = models.BooleanField(_("perhaps sent twice"), default=False)

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes = [
            models.Index(
                fields=["due_at"], name="mail_waiting", condition=Q(state__in=["queued", "sending"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.to}: {self.subject}"
