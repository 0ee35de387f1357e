from django.urls import path
from django.views.generic import RedirectView

from compliance import views
from compliance.violations import public_views, report_views

app_name = "compliance"

urlpatterns = [
    path("providers/", views.directory_list, name="directory"),
    path("providers/leaving/", views.exit_notices, name="exit_notices"),
    path("providers/notices/", public_views.sanction_notices, name="sanction_notices"),
    path("providers/<str:number>/", views.directory_provider, name="provider"),
    path("providers/<str:number>/report/", report_views.report, name="report_provider"),
    path("console/reports/", report_views.reports, name="reports"),
    path("console/exit/<str:number>/", views.exit_page, name="exit"),
    path("console/exit/<str:number>/request/", views.exit_request, name="exit_request"),
    path("console/exit/<str:number>/cancel/", views.exit_cancel, name="exit_cancel"),
    path("ops/", RedirectView.as_view(pattern_name="compliance:roster"), name="ops"),
    path("ops/roster/", views.roster_list, name="roster"),
    path("ops/providers/<str:number>/", views.roster_provider, name="roster_provider"),
]
