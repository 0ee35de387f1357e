"""The merchant's console: what is to be done, and what the person was told."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "console/home.html")


def notices(request: HttpRequest) -> HttpResponse:
    return render(request, "console/notices.html")
