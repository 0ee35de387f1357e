from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DepositsConfig(AppConfig):
    name = "deposits"
    verbose_name = _("Money")

    def ready(self) -> None:
        from deposits import receivers, rulebook, todo  # noqa: F401
        from deposits.bound_account import receivers as of_the_account  # noqa: F401
        from deposits.duties import demand_receivers  # noqa: F401
