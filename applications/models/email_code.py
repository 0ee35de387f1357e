"""Proof of a contact address."""

from django.db import models

from applications.models.application import Application
from tmall_sp.core import clock


class EmailCode(models.Model):
    """A code sent to an address to prove it. Only its hash is kept."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="email_codes")
    email = models.EmailField()
    code_hash = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["application", "-created_at"], name="email_code_recent")]

    def __str__(self) -> str:
        return self.email
