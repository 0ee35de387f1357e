"""The merchant's portal; who may use each stands in tmall_sp/access.py."""

from django.urls import include, path

from applications.views import console, public

console_urls = [
    path("", console.home, name="home"),
    path("notices/", console.notices, name="notices"),
]

application_urls = [
    path("", console.home, name="list"),
]

urlpatterns = [
    path("", public.home, name="home"),
    path("login/", public.login, name="login"),
    path("rules/", public.rules_page, name="rules"),
    path("language/", public.set_language, name="set_language"),
    path("console/", include((console_urls, "console"))),
    path("console/applications/", include((application_urls, "applications"))),
]
