from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from school_portal.domain.identifiers import (
    Document,
    DocumentType,
    Sex,
    mask_document,
    mask_mobile,
    mask_numbers,
    parse_document_type,
    parse_mobile,
    parse_phone,
    person_key,
    read_document,
    uscc_is_valid,
)

TODAY = date(2026, 10, 15)
FAMILY = [DocumentType.RESIDENT_ID, DocumentType.RESIDENCE_PERMIT, DocumentType.FOREIGNER_CARD]


def check_character(first_17: str) -> str:
    """GB 11643 as it is printed: the weighted sum of all 18 is 1 modulo 11."""
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(first_17))
    return next(c for c, v in zip("0123456789X", range(11), strict=True) if (total + v) % 11 == 1)


def number(region: str = "310104", born: str = "20080229", serial: str = "002") -> str:
    return region + born + serial + check_character(region + born + serial)


numbers = st.builds(
    number,
    st.integers(0, 999_999).map("{:06d}".format),
    st.dates(date(1900, 1, 1), TODAY).map("{:%Y%m%d}".format),
    st.integers(0, 999).map("{:03d}".format),
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("居民身份证", DocumentType.RESIDENT_ID),
        ("港澳台居民居住证", DocumentType.RESIDENCE_PERMIT),
        ("港澳居民居住证", DocumentType.RESIDENCE_PERMIT),
        ("台湾居民居住证", DocumentType.RESIDENCE_PERMIT),
        ("外国人永久居留身份证", DocumentType.FOREIGNER_CARD),
        ("港澳居民来往内地通行证", DocumentType.HK_MACAO_PASS),
        ("台湾居民来往大陆通行证", DocumentType.TAIWAN_PASS),
        (" 护　照 ", DocumentType.PASSPORT),
        ("", None),
        ("身份证", None),
    ],
)
def test_document_types(text: str, kind: DocumentType | None) -> None:
    assert parse_document_type(text) is kind


def test_the_standards_own_example() -> None:
    document = read_document(DocumentType.RESIDENT_ID, "11010519491231002X", TODAY)
    assert document == Document("11010519491231002X", date(1949, 12, 31), Sex.FEMALE)


def test_the_number_is_folded_and_upper_case() -> None:
    text = " １１０１０５ 19491231 ００２ｘ\u200b"
    assert read_document(DocumentType.RESIDENT_ID, text, TODAY) == read_document(
        DocumentType.RESIDENT_ID, "11010519491231002X", TODAY
    )


@pytest.mark.parametrize("region", ["810000", "820000", "830000", "310104", "000000", "999999"])
@pytest.mark.parametrize("kind", [DocumentType.RESIDENT_ID, DocumentType.RESIDENCE_PERMIT])
def test_no_region_is_refused(kind: DocumentType, region: str) -> None:
    assert isinstance(read_document(kind, number(region), TODAY), Document)


@given(numbers)
def test_every_number_by_the_standard_is_read(text: str) -> None:
    document = read_document(DocumentType.RESIDENT_ID, text, TODAY)
    assert isinstance(document, Document)
    assert document.birth_date is not None
    assert f"{document.birth_date:%Y%m%d}" == text[6:14]
    assert document.sex is (Sex.MALE if int(text[16]) % 2 else Sex.FEMALE)


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_always_noticed(text: str, place: int, wrong: str) -> None:
    assume(text[place] != wrong)
    changed = text[:place] + wrong + text[place + 1 :]
    assert isinstance(read_document(DocumentType.RESIDENT_ID, changed, TODAY), str)


@given(numbers, st.integers(0, 16))
def test_two_neighbours_exchanged_are_always_noticed(text: str, place: int) -> None:
    assume(text[place] != text[place + 1])
    changed = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert isinstance(read_document(DocumentType.RESIDENT_ID, changed, TODAY), str)


@given(st.sampled_from(list(DocumentType)), st.text())
def test_any_text_is_a_document_or_a_code(kind: DocumentType, text: str) -> None:
    read = read_document(kind, text, TODAY)
    assert isinstance(read, Document) or read in {"cell.id-format", "cell.id-checksum"}


@pytest.mark.parametrize("character", "0123456789")
def test_a_wrong_check_character(character: str) -> None:
    text = "11010519491231002" + character
    assert read_document(DocumentType.RESIDENT_ID, text, TODAY) == "cell.id-checksum"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "310104080229002",
        "31010420080229002",
        number() + "0",
        "3101042008022900A1",
        "X" * 18,
        "三一〇一〇四二〇〇八〇二二九〇〇二一",
        "٣١٠١٠٤٢٠٠٨٠٢٢٩٠٠٢١",
        number(born="20070229"),
        number(born="20081301"),
        number(born="20080000"),
        number(born="18991231"),
        number(born=f"{TODAY + timedelta(days=1):%Y%m%d}"),
    ],
)
@pytest.mark.parametrize("kind", [DocumentType.RESIDENT_ID, DocumentType.RESIDENCE_PERMIT])
def test_wrong_shape_or_impossible_birth_date(kind: DocumentType, text: str) -> None:
    assert read_document(kind, text, TODAY) == "cell.id-format"


@pytest.mark.parametrize("born", ["19000101", f"{TODAY:%Y%m%d}", "20000229"])
def test_the_ends_of_possible_birth_dates(born: str) -> None:
    document = read_document(DocumentType.RESIDENT_ID, number(born=born), TODAY)
    assert isinstance(document, Document)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number("911104"), Document(number("911104"), date(2008, 2, 29), Sex.FEMALE)),
        ("usa310099041501", Document("USA310099041501", None, None)),
        (number("310104"), "cell.id-format"),
        (number("911104")[:17] + "?", "cell.id-format"),
        ("US1310099041501", "cell.id-format"),
        ("USA31009904150", "cell.id-format"),
        (number("911104", born="20070229"), "cell.id-format"),
    ],
)
def test_foreigners_cards(text: str, expected: Document | str) -> None:
    assert read_document(DocumentType.FOREIGNER_CARD, text, TODAY) == expected


@pytest.mark.parametrize(
    ("kind", "text", "accepted"),
    [
        (DocumentType.HK_MACAO_PASS, "H12345678", True),
        (DocumentType.HK_MACAO_PASS, "m12345678", True),
        (DocumentType.HK_MACAO_PASS, "H1234567800", True),
        (DocumentType.HK_MACAO_PASS, "C12345678", False),
        (DocumentType.HK_MACAO_PASS, "H1234567", False),
        (DocumentType.TAIWAN_PASS, "12345678", True),
        (DocumentType.TAIWAN_PASS, "0123456789（B）", True),
        (DocumentType.TAIWAN_PASS, "1234567", False),
        (DocumentType.PASSPORT, "E12345678", True),
        (DocumentType.PASSPORT, "123456789", True),
        (DocumentType.PASSPORT, "PASSPORT", False),
        (DocumentType.PASSPORT, "E123", False),
        (DocumentType.PASSPORT, number(), False),
    ],
)
def test_shapes_of_the_other_documents(kind: DocumentType, text: str, accepted: bool) -> None:
    read = read_document(kind, text, TODAY)
    assert (read == "cell.id-format") is not accepted
    if isinstance(read, Document):
        assert (read.birth_date, read.sex) == (None, None)


def test_numbers_of_18_digits_name_one_person_whatever_the_card() -> None:
    assert {person_key(kind, number("911104")) for kind in FAMILY} == {f"18:{number('911104')}"}


def test_other_numbers_are_apart_by_kind() -> None:
    kinds = [DocumentType.FOREIGNER_CARD, DocumentType.PASSPORT, DocumentType.TAIWAN_PASS]
    assert len({person_key(kind, "12345678") for kind in kinds}) == 3


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("310104200802290026", "310104********0026"),
        (" ３１０１０４200802290026 ", "310104********0026"),
        ("USA310099041501", "USA31*******501"),
        ("E12345678", "E12****78"),
        ("12", "**"),
        ("", ""),
    ],
)
def test_masked_documents(text: str, masked: str) -> None:
    assert mask_document(text) == masked


@given(st.text("0123456789AX", min_size=1))
def test_a_mask_keeps_the_length_and_hides_a_third(text: str) -> None:
    masked = mask_document(text)
    assert len(masked) == len(text)
    assert masked.count("*") * 3 >= len(text)


@pytest.mark.parametrize(
    ("text", "masked"), [("13812341234", "138****1234"), ("1381234", "13****4")]
)
def test_masked_mobiles(text: str, masked: str) -> None:
    assert mask_mobile(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("王某310104200901010026.xlsx", "王某310104********0026.xlsx"),
        ("31010420090101002x 13812345678.csv", "310104********002x 138****5678.csv"),
        ("３１０１０４２００９０１０１００２６.xlsx", "310104********0026.xlsx"),
        ("2026届名册20261015-1.xlsx", "2026届名册20261015-1.xlsx"),
        ("3101042009010100261.xlsx", "3101042009010100261.xlsx"),
    ],
)
def test_numbers_of_people_in_a_text_are_masked(text: str, masked: str) -> None:
    assert mask_numbers(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "13812341234",
        "+86 138 1234 1234",
        "+8613812341234",
        "138-1234-1234",
        "＋86－138－1234－1234",
    ],
)
def test_mobiles(text: str) -> None:
    assert parse_mobile(text) == "13812341234"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12812341234",
        "1381234123",
        "138123412345",
        "8613812341234",
        "+85213812341234",
        "1.38E10",
    ],
)
def test_what_is_no_mobile(text: str) -> None:
    assert parse_mobile(text) is None


USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc_check(first_17: str) -> str:
    """GB 32100: the weighted sum with the check character is a multiple of 31."""
    total = sum(USCC_ALPHABET.index(c) * 3**place for place, c in enumerate(first_17))
    return next(c for c in USCC_ALPHABET if (total + USCC_ALPHABET.index(c)) % 31 == 0)


def test_the_standards_own_social_credit_code() -> None:
    assert uscc_is_valid("91350100M000100Y43")


@given(st.text(USCC_ALPHABET, min_size=17, max_size=17))
def test_a_code_is_valid_with_one_check_character_only(first: str) -> None:
    valid = [c for c in USCC_ALPHABET if uscc_is_valid(first + c)]
    assert valid == [uscc_check(first)]


@pytest.mark.parametrize(
    "text",
    ["", "91350100M000100Y4", "91350100M000100Y430", "91350100m000100y43", "91350100I000100Y43"],
)
def test_what_is_no_social_credit_code(text: str) -> None:
    assert not uscc_is_valid(text)


@pytest.mark.parametrize(
    "text, phone",
    [
        ("138 0000 0001", "13800000001"),
        ("021-62748577", "021-62748577"),
        ("（021）62748577", "021-62748577"),
        ("02162748577", "021-62748577"),
        ("62748577", "62748577"),
        ("021-62748577-4112", "021-62748577-4112"),
        ("62748577转4112", "62748577-4112"),
        ("０２１－６２７４８５７７", "021-62748577"),
        ("12345", None),
        ("12800000001", None),
        ("021-12345678", None),
        ("", None),
    ],
)
def test_telephones_are_mobiles_or_landlines(text: str, phone: str | None) -> None:
    assert parse_phone(text) == phone
