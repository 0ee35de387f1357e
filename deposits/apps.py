from django.apps import AppConfig


class DepositsConfig(AppConfig):
    name = "deposits"

    def ready(self) -> None:
        from deposits import receivers  # noqa: F401
