"""What every app needs: dated rules and their changes, notices to people, and the mails that carry them."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tmall_sp.core import clock
from tmall_sp.core.append_only import protect
from tmall_sp.core.first_state import begins_in


class RuleVersion(models.Model):
    """One dated version of a number that the programme may change: see `tmall_sp.core.rules`."""

    name = models.CharField(_("rule"), max_length=60)
    version = models.PositiveIntegerField(_("version"))
    value = models.JSONField(_("value"))
    valid_from = models.DateTimeField(_("valid from"))
    note = models.CharField(_("note"), max_length=200, blank=True)
    # What two people decided; null for what a migration loaded.
    change = models.OneToOneField(
        "core.RuleChange",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="made",
        verbose_name=_("rule change"),
    )

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["name", "-valid_from"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="rule_version_once")]
        triggers = [
            protect(),
            # Only the owner role, which runs migrations, may load a version that nobody decided.
            pgtrigger.Trigger(
                name="decided_by_two",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF EXISTS (
                        SELECT 1 FROM core_rulechange c
                        WHERE c.id = NEW.change_id AND c.state = 'accepted' AND c.decided_by_id <> c.proposed_by_id
                        AND c.rule = NEW.name AND c.value = NEW.value AND NEW.valid_from >= c.decided_at
                        AND (c.valid_from IS NULL OR c.valid_from = NEW.valid_from)
                    ) OR (NEW.change_id IS NULL AND EXISTS (
                        SELECT 1 FROM pg_catalog.pg_class c
                        JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
                        WHERE c.oid = TG_RELID AND r.rolname = current_user
                    )) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'two people decide on a version of a rule'
                        USING ERRCODE = 'check_violation';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class RuleChangeState(models.TextChoices):
    OPEN = "open", _("waiting for a second person")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


class RuleChange(models.Model):
    """A new value of a rule that one person proposes and another decides. Written by rulebook.changes alone."""

    rule = models.CharField(_("rule"), max_length=60)
    value = models.JSONField(_("new value"))
    # null: from the moment of its acceptance.
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    reason = models.TextField(_("reason"))
    state = models.CharField(_("state"), max_length=9, choices=RuleChangeState, default=RuleChangeState.OPEN)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("proposed by"),
    )
    proposed_at = models.DateTimeField(_("proposed"), default=clock.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_reason = models.TextField(_("reason for the decision"), blank=True)

    class Meta:
        verbose_name = _("rule change")
        verbose_name_plural = _("rule changes")
        ordering = ["-proposed_at", "-pk"]
        permissions = [("decide_rulechange", "Can propose and decide changes of rules")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RuleChangeState.values), name="rule_change_state_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="rule_change_has_reason"),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_from__gte=F("proposed_at")),
                name="rule_change_not_in_the_past",
            ),
            models.CheckConstraint(
                condition=Q(state=RuleChangeState.OPEN, decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state=RuleChangeState.OPEN) & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="rule_change_decided_by_somebody",
            ),
            # A comparison with NULL is neither true nor false, which a CHECK lets pass.
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | Q(state=RuleChangeState.WITHDRAWN, decided_by=F("proposed_by"))
                | (~Q(state=RuleChangeState.WITHDRAWN) & ~Q(decided_by=F("proposed_by"))),
                name="rule_change_decided_by_another",
            ),
            models.UniqueConstraint(
                fields=["rule"],
                condition=Q(state=RuleChangeState.OPEN),
                name="one_open_change_per_rule",
            ),
        ]
        triggers = [
            begins_in(RuleChangeState.OPEN.value),
            pgtrigger.FSM(
                name="lawful_edges",
                field="state",
                transitions=[("open", state) for state in ("accepted", "refused", "withdrawn")],
            ),
            pgtrigger.ReadOnly(
                name="fixed",
                fields=["rule", "value", "valid_from", "reason", "proposed_by", "proposed_at"],
            ),
            pgtrigger.Protect(
                name="decided_for_good",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state=RuleChangeState.OPEN),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.pk}"


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
