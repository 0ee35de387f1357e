"""Everything that a person reads is in the Chinese catalogue; works without GNU gettext."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pytest
from babel.messages import pofile
from babel.messages.catalog import Catalog, Message
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.utils import translation
from django.utils.translation import template as translated_template

from applications.lifecycle import State

ROOT = Path(settings.BASE_DIR)
PO = ROOT / "tmall_sp" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
SOURCES = ("tmall_sp", "applications", "deposits", "compliance")
SANDBOX = ROOT / "tmall_sp" / "sandbox"

# Function → how many of its first arguments are strings, and whether the first of them is a context.
FUNCTIONS = {
    "gettext": (1, False),
    "gettext_lazy": (1, False),
    "gettext_noop": (1, False),
    "ngettext": (2, False),
    "ngettext_lazy": (2, False),
    "pgettext": (2, True),
    "pgettext_lazy": (2, True),
    "npgettext": (3, True),
    "npgettext_lazy": (3, True),
}
# What templatize() makes of a template's tags.
CALL = re.compile(r"\b(n?p?gettext|_)\(\s*")
LITERAL = re.compile(r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*,?\s*""", re.DOTALL)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")

# Words that a template may hold untranslated: names, formats and keys of the page itself.
ALLOWED_WORDS = {"Alipay", "English", "Taobao", "Tmall", "CNY", "CSV", "XLSX", "tmall_sp"}
SHOWN_ATTRIBUTES = {"alt", "aria-label", "placeholder", "title"}

# The column 中文 of the design's table of states.
STATE_NAMES = {
    State.CREATED: "已创建",
    State.SHOP_UNQUALIFIED: "资质对应店铺校验为不合格",
    State.SHOP_VERIFIED: "店铺已核验",
    State.UNDER_REVIEW: "审核中",
    State.CHANGES_REQUESTED: "待补充材料",
    State.APPROVED: "审核通过，待缴保证金",
    State.DEPOSIT_PAID: "保证金已缴",
    State.ACTIVE: "服务中",
    State.SUSPENDED: "暂停服务",
    State.EXITING: "退出清算中",
    State.EXPELLED: "已清退",
    State.EXITED: "已退出",
    State.REJECTED: "审核不通过",
    State.WITHDRAWN: "已撤回",
    State.LAPSED: "已失效",
}


class Msgid(NamedTuple):
    text: str
    context: str | None
    plural: str | None


class Use(NamedTuple):
    msgid: Msgid
    where: str


def _files(suffix: str) -> Iterator[Path]:
    for folder in (*SOURCES, "templates"):
        for path in sorted((ROOT / folder).rglob(f"*{suffix}")):
            if SANDBOX not in path.parents:
                yield path


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _msgid(function: str, strings: list[str]) -> Msgid:
    count, has_context = FUNCTIONS[function]
    context = strings[0] if has_context else None
    texts = strings[1:count] if has_context else strings[:count]
    return Msgid(texts[0], context, texts[1] if len(texts) > 1 else None)


def in_python(path: Path) -> Iterator[Use]:
    """Every call of a function that was imported from django.utils.translation, under whatever name."""
    tree = ast.parse(path.read_text(), str(path))
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in FUNCTIONS
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=called) if called in names:
                function = names[called]
            case ast.Attribute(value=ast.Name(id="translation"), attr=called) if called in FUNCTIONS:
                function = called
            case _:
                continue
        where = f"{_name(path)}:{node.lineno}"
        strings = [
            argument.value
            for argument in node.args[: FUNCTIONS[function][0]]
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        assert len(strings) == FUNCTIONS[function][0], f"{where}: a msgid has to be a plain string"
        yield Use(_msgid(function, strings), where)


def in_template(path: Path) -> Iterator[Use]:
    code = translated_template.templatize(path.read_text(), str(path))
    for call in CALL.finditer(code):
        function = "gettext" if call[1] == "_" else call[1]
        position = call.end()
        strings: list[str] = []
        while len(strings) < FUNCTIONS[function][0] and (literal := LITERAL.match(code, position)):
            strings.append(ast.literal_eval(literal[1]))
            position = literal.end()
        where = f"{_name(path)}:{code.count(chr(10), 0, call.start()) + 1}"
        assert len(strings) == FUNCTIONS[function][0], f"{where}: a msgid has to be a plain string"
        yield Use(_msgid(function, strings), where)


@pytest.fixture(scope="module")
def uses() -> list[Use]:
    found = [use for path in _files(".py") for use in in_python(path)]
    found += [use for path in (*_files(".html"), *_files(".txt")) for use in in_template(path)]
    return found


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with PO.open("rb") as file:
        return pofile.read_po(file, locale="zh_Hans")


def _forms(value: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [value or ""] if value is None or isinstance(value, str) else list(value)


def _plural(msgid: Msgid) -> list[str]:
    return [msgid.plural] if msgid.plural else []


def _is_finished(message: Message) -> bool:
    return not message.fuzzy and all(_forms(message.string))


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def test_every_string_of_the_portal_is_translated(uses: list[Use], catalogue: Catalog) -> None:
    assert len(uses) > 900, "the extraction has gone blind"
    missing: dict[Msgid, str] = {}
    for use in uses:
        message = catalogue.get(use.msgid.text, use.msgid.context)
        if message is None or not _is_finished(message) or _forms(message.id)[1:] != _plural(use.msgid):
            missing.setdefault(use.msgid, use.where)
    assert not missing, "Run `make messages` and translate:\n" + "\n".join(
        f"{where} {msgid}" for msgid, where in missing.items()
    )


def test_nothing_in_the_catalogue_is_empty_or_fuzzy(catalogue: Catalog) -> None:
    unfinished = [message.id for message in _messages(catalogue) if not _is_finished(message)]
    assert not unfinished


def test_a_translation_has_the_placeholders_of_its_msgid(catalogue: Catalog) -> None:
    different = [
        (message.id, message.string)
        for message in _messages(catalogue)
        for text in _forms(message.string)
        if set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(_forms(message.id)[-1]))
    ]
    assert not different


def test_the_catalogue_holds_no_dead_strings(uses: list[Use], catalogue: Catalog) -> None:
    used = {(use.msgid.text, use.msgid.context) for use in uses}
    dead = [
        message.id for message in _messages(catalogue) if (_forms(message.id)[0], message.context) not in used
    ]
    assert not catalogue.obsolete, "Run `make messages`: it drops what is obsolete."
    assert not dead, "Run `make messages`: nothing uses these any more."


def test_states_are_called_as_the_programme_calls_them() -> None:
    with translation.override("zh-hans"):
        assert {state: str(state.label) for state in State} == STATE_NAMES


class _Shown(HTMLParser):
    """The words of a page that stand in the template itself."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent_until = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_symbol = "material-symbols-outlined" in (dict(attrs).get("class") or "")
        if tag in {"script", "style", "code"} or is_symbol:
            self._silent_until = tag
        for name, value in attrs:
            if name in SHOWN_ATTRIBUTES and value:
                self._add(value)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent_until:
            self._silent_until = ""

    def handle_data(self, data: str) -> None:
        if not self._silent_until:
            self._add(data)

    def _add(self, text: str) -> None:
        self.words += [word for word in re.findall(r"[A-Za-z_]{3,}", text) if word not in ALLOWED_WORDS]


def hard_coded(source: str) -> list[str]:
    """English words of a template that stand outside {% translate %}, {% blocktranslate %} and comments."""
    shown, skipping = [], ""
    for token in Lexer(source).tokenize():
        tag = token.contents.split()[0] if token.token_type == TokenType.BLOCK and token.contents else ""
        if skipping:
            skipping = "" if tag == f"end{skipping}" else skipping
        elif tag in {"blocktranslate", "blocktrans", "comment"}:
            skipping = tag
        elif token.token_type == TokenType.TEXT:
            shown.append(token.contents)
    parser = _Shown()
    parser.feed("".join(shown))
    parser.close()
    return parser.words


def test_templates_have_no_english_of_their_own() -> None:
    found = {_name(path): words for path in _files(".html") if (words := hard_coded(path.read_text()))}
    assert not found


def test_english_in_a_template_is_found() -> None:
    assert hard_coded('<p class="lead">{% if a %}You may go{% endif %}</p>') == ["You", "may"]
    assert hard_coded('<img alt="A picture" src="x.png">') == ["picture"]
    assert not hard_coded("{% blocktranslate %}You may go{% endblocktranslate %}{% translate 'Go on' %}")
    assert not hard_coded("{% comment %}Needs: application.{% endcomment %}{# a remark #}<code>abc</code>")
