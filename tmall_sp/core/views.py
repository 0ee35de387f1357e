"""Machines' questions, and the pages that say what went wrong."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static


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


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/403.html", {"reason": str(exception)}, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks neither the database nor the session, and does without its colours where static files fail."""
    try:
        stylesheets = [static("vendor/bootstrap.min.css"), static("portal/portal.css")]
    except ValueError:
        stylesheets = []
    return HttpResponse(render_to_string("errors/500.html", {"stylesheets": stylesheets}), status=500)
