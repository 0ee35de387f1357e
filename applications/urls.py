"""The merchant's portal; who may use each stands in tmall_sp/access.py."""

from django.urls import include, path

from applications.views import console, licences, memberships, public, wizard

console_urls = [
    path("", console.home, name="home"),
    path("notices/", console.notices, name="notices"),
    path("notices/read/", console.read_all_notices, name="read_all_notices"),
    path("notices/<int:pk>/open/", console.open_notice, name="open_notice"),
]

application_urls = [
    path("", memberships.index, name="list"),
    path("new/", memberships.new, name="new"),
    path("<str:number>/", memberships.detail, name="detail"),
    path("<str:number>/edit/<slug:step>/", wizard.edit, name="edit"),
    path("<str:number>/documents/<int:pk>/", wizard.document, name="document"),
    path("<str:number>/documents/<int:pk>/remove/", wizard.remove_document, name="remove_document"),
    path("<str:number>/check/", memberships.check_again, name="check_again"),
    path("<str:number>/resubmit/", memberships.resubmit, name="resubmit"),
    path("<str:number>/withdraw/", memberships.withdraw, name="withdraw"),
    path("<str:number>/agreement/", memberships.agreement, name="agreement"),
    path("<str:number>/licence/", licences.licence, name="licence"),
    path("<str:number>/licence/<int:pk>/", licences.licence_file, name="licence_file"),
    path("<str:number>/licence/<int:pk>/withdraw/", licences.withdraw_licence, name="withdraw_licence"),
]

urlpatterns = [
    path("", public.home, name="home"),
    path("login/", public.login, name="login"),
    path("rules/", public.rules_page, name="rules"),
    path("language/", public.set_language, name="set_language"),
    path("console/", include((console_urls, "console"))),
    path("console/applications/", include((application_urls, "applications"))),
]
