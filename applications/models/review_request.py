"""What a reviewer wants changed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from tmall_sp.core import clock


class ReviewRequest(models.Model):
    """What a reviewer wants changed: one open request an application, answered item by item."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="review_requests")
    message = models.TextField(_("message"), blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(_("created"), default=clock.now)
    due_at = models.DateTimeField(_("due"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("change request")
        verbose_name_plural = _("change requests")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=Q(closed_at__isnull=True), name="one_open_review_request"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.created_at:%Y-%m-%d}"


class ReviewItem(models.Model):
    """One named change, with the merchant's answer."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="items")
    # A field of CompanyData, a document kind, or empty for something else.
    subject = models.CharField(_("concerns"), max_length=40, blank=True)
    text = models.CharField(_("what to change"), max_length=500)
    answer = models.CharField(_("answer"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("requested change")
        verbose_name_plural = _("requested changes")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text
