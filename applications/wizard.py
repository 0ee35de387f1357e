"""The steps of the application form, in their order."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from applications.forms import AccountForm, CompanyForm, ContactForm, StepForm
from applications.models import DocumentKind

TITLES: dict[str, str | Promise] = {
    "company": _("Company"),
    "contact": _("Contact"),
    "account": _("Link and Alipay account"),
    "materials": _("Materials"),
    "review": _("Check and hand in"),
}
FORMS: dict[str, type[StepForm]] = {"company": CompanyForm, "contact": ContactForm, "account": AccountForm}


def step_after(step: str) -> str:
    steps = list(TITLES)
    return steps[steps.index(step) + 1]


def step_of(subject: str) -> str:
    """The step on which a field or a kind of document is changed; empty for anything else."""
    if subject in DocumentKind.values:
        return "materials"
    return next((step for step, form in FORMS.items() if subject in form.base_fields), "")
