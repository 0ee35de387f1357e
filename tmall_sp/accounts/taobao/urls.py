from allauth.socialaccount.providers.oauth2.urls import default_urlpatterns

from tmall_sp.accounts.taobao.provider import TaobaoProvider

urlpatterns = default_urlpatterns(TaobaoProvider)
