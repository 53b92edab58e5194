"""Numbers that name people and organisations: read, checked, masked (rulebook 2)."""

import re
from dataclasses import dataclass
from datetime import date
from operator import mul
from types import MappingProxyType

from school_portal.domain.labels import LabelledEnum, fold
from school_portal.domain.texts import DASHES


class DocumentType(LabelledEnum):
    """The kinds of identity document that a roster may give."""

    RESIDENT_ID = "resident_id", "居民身份证"
    RESIDENCE_PERMIT = "residence_permit", "港澳台居民居住证"
    FOREIGNER_CARD = "foreigner_card", "外国人永久居留身份证"
    HK_MACAO_PASS = "hk_macao_pass", "港澳居民来往内地通行证"
    TAIWAN_PASS = "taiwan_pass", "台湾居民来往大陆通行证"
    PASSPORT = "passport", "护照"


class Sex(LabelledEnum):
    """As the 17th digit of a number says it: odd for men."""

    MALE = "male", "男"
    FEMALE = "female", "女"


@dataclass(frozen=True, slots=True)
class Document:
    """A number as it is kept (folded, upper case), and what it says of its holder, if anything."""

    number: str
    birth_date: date | None
    sex: Sex | None


INVALID_FORMAT = "cell.id-format"
INVALID_CHECKSUM = "cell.id-checksum"

_FIRST_BIRTH_DATE = date(1900, 1, 1)
_GB11643_FAMILY = frozenset(
    {DocumentType.RESIDENT_ID, DocumentType.RESIDENCE_PERMIT, DocumentType.FOREIGNER_CARD}
)
_RESIDENCE_VARIANTS = frozenset({"港澳居民居住证", "台湾居民居住证"})
_GB11643_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_OLD_FOREIGNER_CARD = re.compile(r"[A-Z]{3}[0-9]{12}")
_OTHER_SHAPES = MappingProxyType(
    {
        # One letter and eight digits; two more counted the renewals of the older booklets.
        DocumentType.HK_MACAO_PASS: re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?"),
        # Eight digits; ten, with the issuing times in brackets, on the older booklets.
        DocumentType.TAIWAN_PASS: re.compile(r"[0-9]{8}|[0-9]{10}(?:\([A-Z0-9]{1,2}\))?"),
        DocumentType.PASSPORT: re.compile(r"(?=[A-Z]*[0-9])[A-Z0-9]{5,15}"),
    }
)

# GB 11643: weights 2^(17-i) mod 11. Digits are summed as ASCII codes (48 + digit), so the table of
# check characters is turned by what the 48s add.
_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
_ASCII_SURPLUS = 48 * sum(_WEIGHTS)
_CHECK_CHARACTERS = tuple("10X98765432"[(rest - _ASCII_SURPLUS) % 11] for rest in range(11))

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = MappingProxyType({char: value for value, char in enumerate(_USCC_ALPHABET)})
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
# A number of 18 characters or a mobile that stands in a text.
_NUMBERS = re.compile(r"(?<!\d)(?:\d{17}[\dXxＸｘ]|[1１][3-9３-９]\d{9})(?!\d)")
_LANDLINE = re.compile(
    r"(?:\(?(010|02[0-9]|0[3-9][0-9]{2})\)?)?-?([2-9][0-9]{6,7})(?:(?:-|转)([0-9]{1,6}))?"
)


def parse_document_type(text: str) -> DocumentType | None:
    """The kind that the text names; the two regional names of the residence permit are one kind."""
    if fold(text) in _RESIDENCE_VARIANTS:
        return DocumentType.RESIDENCE_PERMIT
    return DocumentType.from_label(text)


def _birth_date(digits: str, today: date) -> date | None:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return born if _FIRST_BIRTH_DATE <= born <= today else None


def _read_gb11643(number: str, today: date) -> Document | str:
    born = _birth_date(number[6:14], today)
    if born is None:
        return INVALID_FORMAT
    total = sum(map(mul, _WEIGHTS, number[:17].encode("ascii")))
    if number[17] != _CHECK_CHARACTERS[total % 11]:
        return INVALID_CHECKSUM
    return Document(number, born, Sex.MALE if number[16] in "13579" else Sex.FEMALE)


def read_document(kind: DocumentType, text: str, today: date) -> Document | str:
    """The document, or the issue's code: `cell.id-format` or `cell.id-checksum`.

    Shape and birth date (1900-01-01 to `today`) come before the check character. Region codes are
    no ground for refusal. A foreigner's card of 18 digits begins with 9. Source: GB 11643-1999.
    """
    number = fold(text).upper()
    if kind in _GB11643_FAMILY and _GB11643_SHAPE.fullmatch(number):
        if kind is DocumentType.FOREIGNER_CARD and number[0] != "9":
            return INVALID_FORMAT
        return _read_gb11643(number, today)
    shape = _OLD_FOREIGNER_CARD if kind is DocumentType.FOREIGNER_CARD else _OTHER_SHAPES.get(kind)
    if shape is None or not shape.fullmatch(number):
        return INVALID_FORMAT
    return Document(number, None, None)


def person_key(kind: DocumentType, number: str) -> str:
    """One person, one key: numbers of 18 digits are unique across the kinds that share them."""
    if kind in _GB11643_FAMILY and len(number) == 18:
        return f"18:{number}"
    return f"{kind}:{number}"


def _mask(text: str, head: int, tail: int) -> str:
    return f"{text[:head]}{'*' * (len(text) - head - tail)}{text[len(text) - tail :]}"


def mask_document(number: str) -> str:
    """`310104********0026`; a shorter one shows fewer: never more than 7 characters of 12."""
    folded = fold(number)
    return _mask(folded, min(6, len(folded) // 3), min(4, len(folded) // 4))


def mask_mobile(number: str) -> str:
    """`138****1234`; what is no mobile is masked like a document number."""
    folded = fold(number)
    return _mask(folded, 3, 4) if len(folded) == 11 else mask_document(folded)


def mask_numbers(text: str) -> str:
    """A free text, such as a file's name, with the numbers of people in it masked."""
    return _NUMBERS.sub(lambda found: mask_mobile(found[0]), text)


def parse_mobile(text: str) -> str | None:
    """Eleven digits of a mainland mobile; a leading +86, white space and hyphens fall away."""
    number = fold(text).translate(DASHES).replace("-", "").removeprefix("+86")
    return number if _MOBILE.fullmatch(number) else None


def parse_phone(text: str) -> str | None:
    """A mobile's eleven digits, or a landline as 021-62748577-4112; None for neither."""
    mobile = parse_mobile(text)
    found = _LANDLINE.fullmatch(fold(text).translate(DASHES))
    if mobile is None and found:
        return "-".join(part for part in found.groups() if part)
    return mobile


def uscc_is_valid(text: str) -> bool:
    """Whether the text is a unified social credit code (GB 32100-2015), by its 18th character.

    The text is judged as it stands (upper case, half-width). The organisation code inside has a
    check character of its own, which is not judged (rulebook 2).
    """
    values = [_USCC_VALUES.get(char, -1) for char in text]
    if len(values) != 18 or min(values) < 0:
        return False
    return values[17] == -sum(map(mul, _USCC_WEIGHTS, values)) % 31
