"""The conformance vectors of Chinese data formats (protocols C1, C2), on the libraries that the forms use."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from stdnum.cn import ric, uscc


@pytest.mark.parametrize("code", ["91330100799655058B", "91440300708461136T", "91110000600037341L"])
def test_a_credit_code_with_the_right_check_digit_is_valid(code: str) -> None:
    assert uscc.is_valid(code)


@pytest.mark.parametrize("code", ["91330106MA2B0CK31Y", "91330100799655058A", "9133010079965505B"])
def test_a_credit_code_with_a_wrong_check_digit_or_length_is_invalid(code: str) -> None:
    assert not uscc.is_valid(code)


def test_a_credit_code_is_tidied_before_it_is_checked() -> None:
    assert uscc.validate("９１３３０１００-799655058b ") == "91330100799655058B"


def test_a_resident_id_is_checked() -> None:
    assert ric.is_valid("11010519491231002X")
    assert not ric.is_valid("110105194912310021")


@pytest.mark.parametrize(
    "text", ["13800138000", "+8613800138000", "008613800138000", "１３８００１３８０００"]
)
def test_a_mobile_number_is_read_in_any_writing(text: str) -> None:
    number = phonenumbers.parse(text, "CN")

    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.number_type(number) == PhoneNumberType.MOBILE
    assert phonenumbers.format_number(number, PhoneNumberFormat.E164) == "+8613800138000"


@pytest.mark.parametrize("text", ["16512345678", "17012345678", "19912345678"])
def test_numbers_of_virtual_operators_are_mobile_numbers(text: str) -> None:
    number = phonenumbers.parse(text, "CN")

    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.number_type(number) == PhoneNumberType.MOBILE


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("010-12345678", PhoneNumberType.FIXED_LINE),
        ("0571-85022088", PhoneNumberType.FIXED_LINE),
        ("400-820-5555", PhoneNumberType.SHARED_COST),
        ("800-810-5555", PhoneNumberType.TOLL_FREE),
    ],
)
def test_office_numbers_are_valid(text: str, kind: int) -> None:
    number = phonenumbers.parse(text, "CN")

    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.number_type(number) == kind


@pytest.mark.parametrize(
    "text",
    [
        "12812345678",
        "14112345678",
        "1380013800",
        "138001380000",
        "85022088",
        "0755-8888888",
        "95188",
        "0571-85022088-801",
    ],
)
def test_what_is_no_number_is_invalid(text: str) -> None:
    assert not phonenumbers.is_valid_number(phonenumbers.parse(text, "CN"))


def test_an_extension_in_words_is_not_read() -> None:
    with pytest.raises(phonenumbers.NumberParseException):
        phonenumbers.parse("0571-85022088转801", "CN")
