from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "tmall_sp.core"
    label = "core"
    verbose_name = _("Rules and mails")
