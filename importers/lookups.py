"""What a roster's rows may refer to: the school's specialties, the register, the bodies."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from school_portal.domain.labels import fold
from school_portal.domain.levels import TrainingLevel, parse_training_level
from school_portal.domain.projects import Occupation, Register

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Context:
    """What a roster is read against.

    `specialties`: (code, name, training level) of the school; `occupations`: the register;
    `bodies`: (USCC, name); `today`: the civil day on which birth dates are judged.
    """

    specialties: tuple[tuple[str, str, TrainingLevel], ...]
    occupations: tuple[Occupation, ...]
    bodies: tuple[tuple[str, str], ...]
    today: date


@dataclass(frozen=True, slots=True)
class Specialty:
    """A specialty of the school."""

    code: str
    name: str
    training_level: TrainingLevel


@dataclass(frozen=True, slots=True)
class Failure:
    """What a look-up found wrong: the column, the issue's code, an addition to its text."""

    field: str
    code: str
    detail: str = ""


class Specialties:
    """A school's specialties, found by name, code and training level, as far as given."""

    def __init__(self, lines: tuple[tuple[str, str, TrainingLevel], ...]) -> None:
        self._all = [Specialty(*line) for line in lines]
        self._by_code: dict[str, list[Specialty]] = defaultdict(list)
        self._by_name: dict[str, list[Specialty]] = defaultdict(list)
        for specialty in self._all:
            self._by_code[_key(specialty.code)].append(specialty)
            self._by_name[_key(specialty.name)].append(specialty)

    def find(self, code: str, name: str, level: str) -> tuple[Specialty | None, list[Failure]]:
        """The one specialty on which all that is given agrees, or why there is none."""
        named = self._by_name.get(_key(name), []) if name else self._all
        coded = self._by_code.get(_key(code), []) if code else self._all
        failures = []
        if not coded:
            failures.append(Failure("专业代码", "cell.specialty-unknown"))
        if not named:
            failures.append(Failure("专业名称", "cell.specialty-unknown"))
        both = [specialty for specialty in named if specialty in coded]
        if named and coded and not both:
            detail = "（专业代码与专业名称不相符）"
            failures.append(Failure("专业代码", "cell.specialty-unknown", detail))
        wanted = parse_training_level(level) if level else None
        if level and wanted is None:
            failures.append(Failure("培养层次", "cell.training-level"))
        if failures:
            return None, failures
        return _only([s for s in both if wanted in (None, s.training_level)], both)


def _only(
    fitting: list[Specialty], both: list[Specialty]
) -> tuple[Specialty | None, list[Failure]]:
    if len(fitting) == 1:
        return fitting[0], []
    levels = "、".join(dict.fromkeys(s.training_level.label for s in both))
    if not fitting:
        return None, [Failure("培养层次", "cell.training-level", f"（该专业为{levels}）")]
    if len({s.code for s in fitting}) > 1:
        detail = "（同名专业有多个，请同时填写专业代码）"
        return None, [Failure("专业名称", "cell.specialty-unknown", detail)]
    detail = f"（该专业兼有{levels}，须填明）"
    return None, [Failure("培养层次", "cell.training-level", detail)]


class Bodies:
    """Evaluation bodies by USCC, or by a name that only one bears."""

    def __init__(self, bodies: tuple[tuple[str, str], ...]) -> None:
        self._found: dict[str, set[str]] = defaultdict(set)
        for uscc, name in bodies:
            self._found[_key(uscc)].add(uscc)
            self._found[_key(name)].add(uscc)

    def find(self, text: str) -> tuple[str | None, list[Failure]]:
        """The body's USCC, or why there is none."""
        usccs = self._found.get(_key(text), set())
        if len(usccs) == 1:
            return next(iter(usccs)), []
        detail = "（同名机构有多家）" if usccs else ""
        return None, [Failure("评价机构", "cell.body-unknown", detail)]


def find_occupation(
    register: Register, code: str, name: str, direction: str
) -> tuple[Occupation | None, list[Failure]]:
    """The register's occupation on which all that is given agrees, or where it first fails."""
    found = register.find(code or None, name or None, direction)
    if found:
        return found, []
    coded = register.candidates(code, None) if code else ()
    named = register.candidates(None, name) if name else ()
    if code and not coded:
        field = "职业编码"
    elif name and (not named or (code and not set(coded) & set(named))):
        field = "申报职业"
    else:
        field = "申报工种"
    meant = [occupation.label for occupation in register.candidates(code or None, name or None)]
    more = "等" if len(meant) > _MOST_NAMED else ""
    detail = f"（目录中有：{'、'.join(meant[:_MOST_NAMED])}{more}）" if meant else ""
    return None, [Failure(field, "cell.occupation-unknown", detail)]


def _key(text: str) -> str:
    return fold(text).casefold()
