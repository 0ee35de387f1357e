from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "tmall_sp.accounts"
    label = "accounts"
    verbose_name = _("People and companies")

    def ready(self) -> None:
        from tmall_sp.accounts import receivers  # noqa: F401
        from tmall_sp.accounts.roles import sync_roles

        post_migrate.connect(sync_roles, dispatch_uid="accounts.sync_roles")
