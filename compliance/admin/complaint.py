"""The queue of complaints, one page for each, and a page for each step."""

from django.contrib import admin

from compliance.models import Complaint
from tmall_sp.core.step_pages import StepPages


@admin.register(Complaint)
class ComplaintAdmin(StepPages[Complaint]):
    steps = ()
    head_template = "admin/compliance/_complaint_head.html"
    page_template = "admin/compliance/complaint.html"
    list_display = ["number", "application", "claimed", "state", "due_at", "claimed_by"]
    list_select_related = ["application", "claimed_by"]
    list_per_page = 50
