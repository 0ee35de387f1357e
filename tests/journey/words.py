"""What stands on the pages, in the language of the person who reads them."""

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext

from applications.announcements import MERCHANT
from applications.lifecycle import State
from applications.step_names import step_name


def zh(text: str | Promise, **values: object) -> str:
    """A text of the portal in Chinese, as the catalogue has it."""
    with translation.override("zh-hans"):
        words = gettext(text) if isinstance(text, str) else str(text)
        return words % values if values else words


def state(code: State) -> str:
    return zh(code.label)


def step(name: str) -> str:
    """What the timeline calls a step."""
    return zh(step_name(name))


def news(name: str) -> str:
    """The subject under which the company is told of a step."""
    return zh(MERCHANT[name].subject)
