from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "tmall_sp.demo"
    label = "demo"
