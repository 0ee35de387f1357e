"""A company's cases, below /console/cases/: its complaints and its violations."""

from django.urls import path

from compliance import case_views
from compliance.complaints import provider_views as complaints
from compliance.violations import company_views as violations

app_name = "cases"

urlpatterns = [
    path("", case_views.index, name="list"),
    path("<str:application>/complaints/<str:number>/", complaints.detail, name="complaint"),
    path("<str:application>/complaints/<str:number>/files/<int:pk>/", complaints.file, name="file"),
    path("<str:application>/complaints/<str:number>/admit/", complaints.admit, name="admit"),
    path(
        "<str:application>/complaints/<str:number>/admit/cost/",
        complaints.admission_cost,
        name="admission_cost",
    ),
    path("<str:application>/complaints/<str:number>/contest/", complaints.contest, name="contest"),
    path("<str:application>/complaints/<str:number>/evidence/", complaints.add_evidence, name="add_evidence"),
    path(
        "<str:application>/complaints/<str:number>/finish/",
        complaints.finish_evidence,
        name="finish_evidence",
    ),
    path("<str:application>/complaints/<str:number>/appeal/", complaints.appeal, name="appeal"),
    path("<str:number>/violations/<int:pk>/", violations.violation, name="violation"),
    path("<str:number>/violations/<int:pk>/appeal/", violations.appeal, name="violation_appeal"),
    path("<str:number>/violations/<int:pk>/files/<int:file_id>/", violations.file, name="violation_file"),
]
