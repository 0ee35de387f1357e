"""The complainant's pages, below /complaints/; who may use each stands in tmall_sp/access.py."""

from django.urls import path

from compliance.complaints import views

app_name = "complaints"

urlpatterns = [
    path("", views.home, name="home"),
    path("new/", views.new, name="new"),
    path("<str:number>/", views.detail, name="detail"),
    path("<str:number>/files/<int:pk>/", views.file, name="file"),
    path("<str:number>/evidence/", views.add_evidence, name="add_evidence"),
    path("<str:number>/finish/", views.finish_evidence, name="finish_evidence"),
    path("<str:number>/appeal/", views.appeal, name="appeal"),
    path("<str:number>/withdraw/", views.withdraw, name="withdraw"),
    path("<str:number>/payee/", views.name_payee, name="name_payee"),
]
