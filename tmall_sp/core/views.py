"""Machines' questions, and the pages that say what went wrong."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Says nothing about what it depends on."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Fit for traffic: the database answers and is migrated. Redis is not asked; the portal works without."""
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return JsonResponse({"database": "down"}, status=503)
    if waiting:
        return JsonResponse({"database": "up", "migrations_waiting": len(waiting)}, status=503)
    return JsonResponse({"database": "up", "migrations_waiting": 0})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "errors/csrf.html", status=403)
