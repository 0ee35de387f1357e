from django.apps import AppConfig


class TaobaoLoginConfig(AppConfig):
    name = "tmall_sp.accounts.taobao"
    label = "taobao_login"
