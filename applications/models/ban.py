"""Who may not come back."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from tmall_sp.core import clock


class Ban(models.Model):
    """Keeps an expelled company out, by each name that it could come back under."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="bans", verbose_name=_("application")
    )
    credit_code = models.CharField(_("unified social credit code"), max_length=18, db_index=True)
    taobao_user_id = models.CharField(_("Taobao user id"), max_length=32, db_index=True)
    alipay_account_id = models.CharField(_("Alipay id"), max_length=16, db_index=True)
    reason = models.TextField(_("reason"))
    begins_at = models.DateTimeField(_("begins"), default=clock.now)
    # null: for good.
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)

    class Meta:
        verbose_name = _("ban")
        verbose_name_plural = _("bans")

    def __str__(self) -> str:
        return self.credit_code
