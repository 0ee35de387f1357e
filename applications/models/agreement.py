"""The programme's rules, and who accepted them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect


class Agreement(models.Model):
    """One version of the programme's rules, shown at /rules/ and accepted with a submission."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    title = models.CharField(_("title"), max_length=120)
    body = models.TextField(_("text"))
    effective_from = models.DateTimeField(_("effective from"))

    class Meta:
        verbose_name = _("programme rules")
        verbose_name_plural = _("programme rules")
        ordering = ["-version"]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


class AgreementAcceptance(models.Model):
    """Who accepted which version, when."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="acceptances")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="acceptances")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("accepted"), default=clock.now)

    class Meta:
        verbose_name = _("acceptance")
        verbose_name_plural = _("acceptances")
        constraints = [
            models.UniqueConstraint(fields=["application", "agreement"], name="agreement_accepted_once"),
        ]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.application_id} v{self.agreement.version}"
