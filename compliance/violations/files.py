"""Evidence that comes with a report or with an appeal: pictures and PDFs."""

from collections.abc import Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from applications.uploads import CheckedFile, check_file
from compliance.models import AppealFile, Violation, ViolationAppeal, ViolationFile
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError


def checked(uploads: Sequence[UploadedFile], *, at_most: int) -> list[CheckedFile]:
    """Judge files by their content, before any lock is taken. DomainError on field `files`."""
    if len(uploads) > at_most:
        raise DomainError("too_many_files", _("At most %(count)s files.") % {"count": at_most}, field="files")
    try:
        return [check_file(upload) for upload in uploads]
    except DomainError as error:
        raise DomainError(error.code, error.message, field="files") from error


def add_to_report(violation: Violation, files: Sequence[CheckedFile], *, actor: User) -> None:
    for file in files:
        _store(ViolationFile(violation=violation), file, actor)


def add_to_appeal(appeal: ViolationAppeal, files: Sequence[CheckedFile], *, actor: User) -> None:
    for file in files:
        _store(AppealFile(appeal=appeal), file, actor)


def _store(row: Any, file: CheckedFile, actor: User) -> None:
    row.original_name = file.name
    row.content_type = file.content_type
    row.size = len(file.content)
    row.sha256 = file.sha256
    row.uploaded_by = actor
    row.uploaded_at = clock.now()
    name, content = file.to_store()
    row.file.save(name, content, save=False)
    row.save(force_insert=True)
