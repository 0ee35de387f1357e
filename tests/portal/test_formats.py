"""What merchants type is read leniently and stored in one form; what is wrong is told by kind (protocols C)."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError

from applications import formats


@pytest.mark.parametrize(
    ("read", "typed", "stored"),
    [
        (formats.credit_code, "９１３３０１００-799655058b ", "91330100799655058B"),
        (formats.credit_code, "9133 0100 7996 5505 8B", "91330100799655058B"),
        (formats.phone, "１３８００１３８０００", "+8613800138000"),
        (formats.phone, "0571-85022088", "+8657185022088"),
        (formats.phone, "+86 138 0013 8000", "+8613800138000"),
        (formats.phone, "400-820-5555", "+864008205555"),
        (formats.alipay_id, " ２０８８ 1021 4622 5135", "2088102146225135"),
        (formats.onboarding_link, " https://shop123456.taobao.com/ ", "https://shop123456.taobao.com/"),
        (formats.onboarding_link, "https://fuwu.taobao.com/ser?id=1", "https://fuwu.taobao.com/ser?id=1"),
        (formats.company_name, " 杭州小店（集团）  有限公司", "杭州小店（集团） 有限公司"),
        (formats.company_name, "Xiaodian E-Commerce Co., Ltd.", "Xiaodian E-Commerce Co., Ltd."),
        (formats.person_name, "阿卜杜拉·买买提", "阿卜杜拉·买买提"),
    ],
)
def test_what_is_typed_is_stored_in_one_form(read: Callable[[str], str], typed: str, stored: str) -> None:
    assert read(typed) == stored


@pytest.mark.parametrize(
    ("read", "typed", "code"),
    [
        (formats.credit_code, "9133010079965505", "length"),
        (formats.credit_code, "92330100799655058B", "not_a_company"),
        (formats.credit_code, "91330100799655058A", "check_character"),
        (formats.credit_code, "9133010079965505IB", "alphabet"),
        (formats.phone, "0571-85022088-801", "extension"),
        (formats.phone, "0571-85022088转801", "extension"),
        (formats.phone, "85022088", "area_code"),
        (formats.phone, "12800138000", "phone"),
        (formats.phone, "+1 415 555 2671", "phone"),
        (formats.phone, "打电话给我", "phone"),
        (formats.alipay_id, "lianxi@example.com", "login_name"),
        (formats.alipay_id, "13800138000", "login_name"),
        (formats.alipay_id, "208810214622513", "alipay_id"),
        (formats.alipay_id, "2089102146225135", "alipay_id"),
        (formats.onboarding_link, "http://shop123456.taobao.com/", "address"),
        (formats.onboarding_link, "shop123456.taobao.com", "address"),
        (formats.onboarding_link, "javascript:alert(1)", "address"),
        (formats.onboarding_link, "https://me@shop123456.taobao.com/", "address"),
        (formats.onboarding_link, "https://shop123456.taobao.com:8443/", "address"),
        (formats.onboarding_link, "https://evil.com\\.tmall.com/", "address"),
        (formats.onboarding_link, "https://[::1", "address"),
        (formats.onboarding_link, "https://nike.tmall.com.evil.com/", "host"),
        (formats.onboarding_link, "https://evil.com/.tmall.com", "host"),
        (formats.onboarding_link, "https://eviltmall.com/", "host"),
        (formats.company_name, "小店", "short"),
        (formats.company_name, "<script>公司</script>", "name"),
        (formats.company_name, "12345678", "name"),
        (formats.person_name, "王", "person"),
        (formats.person_name, "王3", "person"),
    ],
)
def test_each_kind_of_mistake_has_its_own_message(read: Callable[[str], str], typed: str, code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        read(typed)

    assert refusal.value.code == code


def test_a_stored_number_is_shown_as_it_is_written_in_china() -> None:
    assert formats.phone_as_written("+8613800138000") == "138 0013 8000"
    assert formats.phone_as_written("") == ""
