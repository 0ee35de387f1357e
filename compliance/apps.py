from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ComplianceConfig(AppConfig):
    name = "compliance"
    verbose_name = _("Cases and exits")

    def ready(self) -> None:
        from compliance import clean_record, receivers, rulebook  # noqa: F401
        from compliance.complaints import todo  # noqa: F401
        from compliance.served_shops import receivers as of_served_shops  # noqa: F401
        from compliance.served_shops import todo as for_served_shops  # noqa: F401
        from compliance.violations import todo as for_violations  # noqa: F401
