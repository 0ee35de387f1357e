from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "tmall_sp.core"
    label = "core"
