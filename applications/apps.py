from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApplicationsConfig(AppConfig):
    name = "applications"
    verbose_name = _("Admission")

    def ready(self) -> None:
        from applications import receivers, rulebook  # noqa: F401
