"""Chinese data formats as merchants write them: read leniently, stored in one form (protocols C)."""

import re
import unicodedata
from urllib.parse import urlsplit

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from stdnum import exceptions
from stdnum.cn import uscc

# Where an onboarding link may lead; it is never fetched, only shown to the reviewer (protocols C4).
ALIBABA_HOSTS = ("taobao.com", "tmall.com", "tmall.hk", "alibaba.com", "1688.com", "aliyun.com", "alipay.com")

_COMPANY_NAME = re.compile(r"[\u3400-\u9fffA-Za-z0-9()（）\[\]【】《》·・&＆.,，、'’+\-—\s]+")
_EXTENSION = re.compile(r"转|轉|ext|#|,|;|[-x]\d{1,5}$", re.IGNORECASE)


def narrow(text: str) -> str:
    """Full-width letters and digits as plain ones, without surrounding space."""
    return unicodedata.normalize("NFKC", text).strip()


def credit_code(text: str) -> str:
    """The 18 characters of a company's unified social credit code (GB 32100-2015).

    ValidationError says which of length, alphabet, kind of entity or check character is wrong.
    """
    code = uscc.compact(narrow(text))
    if len(code) != 18:
        raise ValidationError(
            _("The code has 18 characters; this one has %(count)s.") % {"count": len(code)}, code="length"
        )
    if not code.startswith("91"):
        raise ValidationError(_("Only companies can join: their code begins with 91."), code="not_a_company")
    try:
        return str(uscc.validate(code))
    except exceptions.InvalidChecksum as error:
        raise ValidationError(
            _("The check character does not fit. Compare each character with the business licence."),
            code="check_character",
        ) from error
    except exceptions.ValidationError as error:
        raise ValidationError(
            _("The code consists of digits and capital letters, without I, O, S, V and Z."), code="alphabet"
        ) from error


def phone(text: str) -> str:
    """A Chinese mobile or landline number as E.164; an extension is not taken."""
    plain = narrow(text)
    try:
        number = phonenumbers.parse(plain, "CN")
    except phonenumbers.NumberParseException as error:
        raise _not_a_phone(plain) from error
    if number.extension or number.country_code != 86 or not phonenumbers.is_valid_number(number):
        raise _not_a_phone(plain)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_as_written(e164: str) -> str:
    """A stored number as it is written in China: 138 0013 8000, 0571 8502 2088."""
    try:
        number = phonenumbers.parse(e164, "CN")
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def _not_a_phone(plain: str) -> ValidationError:
    digits = re.sub(r"\D", "", plain)
    if _EXTENSION.search(plain) and len(digits) > 8:
        return ValidationError(
            _("Give the number without an extension, for example 0571-85022088 or 13800138000."),
            code="extension",
        )
    if len(digits) in (7, 8):
        return ValidationError(_("Add the area code, for example 0571-85022088."), code="area_code")
    return ValidationError(
        _("This is not a Chinese telephone number. Examples: 13800138000, 0571-85022088."), code="phone"
    )


def alipay_id(text: str) -> str:
    """An Alipay user id: 16 digits that begin with 2088 (protocols C5)."""
    plain = re.sub(r"\s", "", narrow(text))
    if re.fullmatch(r"2088[0-9]{12}", plain):
        return plain
    if "@" in plain or re.fullmatch(r"1[3-9][0-9]{9}", plain):
        raise ValidationError(
            _("This is a login name. Give the account's number (PID): 16 digits that begin with 2088."),
            code="login_name",
        )
    raise ValidationError(
        _("The account's number (PID) has 16 digits and begins with 2088."), code="alipay_id"
    )


def onboarding_link(text: str) -> str:
    """An https address on one of Alibaba's sites, without a user, a port or a look-alike host."""
    plain = narrow(text)
    try:
        parts = urlsplit(plain)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _not_an_address() from error
    if parts.scheme != "https" or not host or re.search(r"\s", plain):
        raise _not_an_address()
    if parts.username or parts.password or port or "@" in parts.netloc or "\\" in plain:
        raise _not_an_address()
    if not any(host == site or host.endswith(f".{site}") for site in ALIBABA_HOSTS):
        raise ValidationError(
            _("The link must lead to a site of Taobao, Tmall, Alibaba, 1688, Alipay or Aliyun."), code="host"
        )
    return plain


def _not_an_address() -> ValidationError:
    return ValidationError(
        _("Give the whole address, beginning with https://, for example https://shop123456.taobao.com/."),
        code="address",
    )


def company_name(text: str) -> str:
    """A company's name as on its licence: 4 to 120 characters, Chinese or Latin."""
    name = " ".join(text.split())
    if len(name) < 4:
        raise ValidationError(_("Give the whole name, as on the business licence."), code="short")
    if not _COMPANY_NAME.fullmatch(name) or not any(character.isalpha() for character in name):
        raise ValidationError(
            _("A company's name has Chinese characters, letters, digits and brackets only."), code="name"
        )
    return name


def person_name(text: str) -> str:
    """A person's name: 2 to 60 characters, Chinese or Latin, no digits."""
    name = " ".join(text.split())
    if len(name) < 2 or not all(character.isalpha() or character in " ·・.'’-" for character in name):
        raise ValidationError(_("Give the name as on the identity document, without digits."), code="person")
    return name
