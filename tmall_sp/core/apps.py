from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "tmall_sp.core"
    label = "core"
    verbose_name = _("Rules and mails")

    def ready(self) -> None:
        from tmall_sp.core.append_only import forbid_ignoring_triggers

        post_migrate.connect(
            forbid_ignoring_triggers, sender=self, dispatch_uid="core.forbid_ignoring_triggers"
        )
