"""Handed-in files on their way to a browser. Whose a file is, the view has asked."""

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404

# What a browser may show as it is; uploads.py stores nothing else.
SAFE_TYPES = {"image/jpeg", "image/png", "image/webp", "application/pdf"}


def for_merchant(file: FieldFile, *, name: str, content_type: str, download: bool) -> FileResponse:
    """Pictures are shown, everything else is saved."""
    shown = content_type.startswith("image/") and not download
    return _response(file, name, content_type, shown)


def for_staff(file: FieldFile, *, name: str, content_type: str) -> FileResponse:
    """Shown on the page where that is safe. The view lets its own pages frame it, and nothing run in it."""
    safe = content_type in SAFE_TYPES
    return _response(file, name, content_type if safe else "application/octet-stream", safe)


def _response(file: FieldFile, name: str, content_type: str, shown: bool) -> FileResponse:
    try:
        content = file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(content, as_attachment=not shown, filename=name, content_type=content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
