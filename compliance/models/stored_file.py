"""A file that somebody handed in with a case. Accepted by content (applications/uploads.py), never overwritten."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tmall_sp.core import clock


class StoredFile(models.Model):
    """What every such row keeps of its file."""

    file = models.FileField(_("file"), upload_to="cases/%Y/%m/", max_length=200)
    original_name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(_("uploaded"), default=clock.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.original_name
