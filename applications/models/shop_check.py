"""Checks of the shop that applies, and what they read."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect


class CheckState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    WAITING = "waiting", _("waiting for Taobao")
    REAUTHORISE = "reauthorise", _("waiting for a new log-in")
    DONE = "done", _("done")


class ShopCheck(models.Model):
    """One shop check as a job: a row before a worker hears of it, claimed, and closed with its evidence."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="shop_checks")
    state = models.CharField(_("state"), max_length=11, choices=CheckState, default=CheckState.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    due_at = models.DateTimeField(_("next attempt"), default=clock.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("shop check")
        verbose_name_plural = _("shop checks")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=~Q(state=CheckState.DONE),
                name="one_open_check_per_application",
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="shop_check_waiting",
                condition=Q(state__in=["queued", "running", "waiting"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.state}"


class ShopEvidence(models.Model):
    """What one finished check read at Taobao, and the verdict on each rule."""

    check_run = models.OneToOneField(ShopCheck, on_delete=models.PROTECT, related_name="evidence")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="shop_evidence")
    at = models.DateTimeField(_("time"), default=clock.now)
    read = models.JSONField(_("what was read"))
    verdicts = models.JSONField(_("verdicts"))
    passed = models.BooleanField(_("passed"))
    tenure_begins = models.DateField(_("service began"), null=True, blank=True)
    tenure_source = models.CharField(
        _("source of the beginning"),
        max_length=20,
        blank=True,
        choices=[
            ("shop_created_on", _("the shop's opening")),
            ("first_order_on", _("a service order")),
            ("bound_on", _("the first log-in here")),
        ],
    )
    eligible_on = models.DateField(_("can pass from"), null=True, blank=True)

    class Meta:
        verbose_name = _("shop evidence")
        verbose_name_plural = _("shop evidence")
        ordering = ["-at", "-pk"]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.application_id} {self.at:%Y-%m-%d %H:%M} {'✓' if self.passed else '✗'}"


class ShopBinding(models.Model):
    """The first time that a Taobao account authorised us: the last resort for the beginning of tenure."""

    taobao_user_id = models.CharField(max_length=32, unique=True)
    bound_at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [protect()]

    def __str__(self) -> str:
        return self.taobao_user_id
