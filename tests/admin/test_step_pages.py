"""What every desk's steps share, beyond what the reviewers' and the violations' desk show in their own tests."""

from django.http import QueryDict

from applications.lifecycle import State
from applications.models import Application
from tmall_sp.core.step_pages import SeenStateForm, StepForm


def test_a_form_carries_the_version_that_it_showed() -> None:
    shown = StepForm(Application(version=7))

    assert shown["seen"].value() == 7
    assert not StepForm(Application(version=7), QueryDict("seen=seven")).is_valid()


def test_an_object_without_a_version_is_known_by_its_state() -> None:
    shown = SeenStateForm(Application(state=State.ACTIVE))
    sent = SeenStateForm(Application(state=State.SUSPENDED), QueryDict("seen=active"))

    assert shown["seen"].value() == "active"
    assert sent.is_valid() and sent.cleaned_data["seen"] == "active"
    assert sent.shown_again(Application(state=State.SUSPENDED))["seen"].value() == "suspended"
