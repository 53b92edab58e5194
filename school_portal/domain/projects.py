"""Occupations and evaluation projects; the code alone is no key (rulebook 2)."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from school_portal.domain.labels import fold
from school_portal.domain.levels import Level
from school_portal.domain.texts import DASHES


@dataclass(frozen=True, order=True, slots=True)
class Occupation:
    """Code, name and direction (工种); an empty direction is the whole occupation."""

    code: str
    name: str
    direction: str = ""

    @property
    def label(self) -> str:
        """营养师（公共营养师）."""
        return f"{self.name}（{self.direction}）" if self.direction else self.name


@dataclass(frozen=True, order=True, slots=True)
class Project:
    """What is evaluated: occupation, direction and level."""

    code: str
    occupation: str
    direction: str
    level: Level

    @property
    def base(self) -> Occupation:
        """The same without its level."""
        return Occupation(self.code, self.occupation, self.direction)

    @property
    def label(self) -> str:
        """营养师（公共营养师）四级/中级工."""
        return f"{self.base.label}{self.level.label}"

    @classmethod
    def of_columns(cls, row: Mapping[str, Any]) -> "Project":
        """The project that `columns` spelt, whatever else is in the row."""
        return cls(row["occupation_code"], row["occupation"], row["direction"], Level(row["level"]))

    def columns(self) -> dict[str, str | int]:
        """As rows and papers spell it: `occupation_code`, `occupation`, `direction`, `level`."""
        return {
            "occupation_code": self.code,
            "occupation": self.occupation,
            "direction": self.direction,
            "level": int(self.level),
        }


class Register:
    """The occupations that rows may name, found by code, by name, or by both.

    Texts are compared folded in width and white space, codes in their dashes too, and the first
    spelling registered is kept. The direction always has to agree; an empty one matches an empty
    one only. One code with two names stays two occupations.
    """

    def __init__(self, occupations: Iterable[Occupation]) -> None:
        self._by_code: dict[str, set[Occupation]] = defaultdict(set)
        self._by_name: dict[str, set[Occupation]] = defaultdict(set)
        seen: set[tuple[str, str, str]] = set()
        for occupation in occupations:
            code, name = _code(occupation.code), fold(occupation.name)
            key = (code, name, fold(occupation.direction))
            if key not in seen:
                seen.add(key)
                self._by_code[code].add(occupation)
                self._by_name[name].add(occupation)

    def find(self, code: str | None, name: str | None, direction: str = "") -> Occupation | None:
        """The one occupation on which all that is given agrees; None for none or several."""
        wanted = fold(direction)
        matches = [o for o in self._named(code, name) if fold(o.direction) == wanted]
        return matches[0] if len(matches) == 1 else None

    def candidates(self, code: str | None, name: str | None) -> tuple[Occupation, ...]:
        """For messages: what the code or the name might have meant, whatever the direction."""
        either = self._named(code, None) | self._named(None, name)
        return tuple(sorted(self._named(code, name) or either))

    def _named(self, code: str | None, name: str | None) -> set[Occupation]:
        by_code = self._by_code.get(_code(code), set()) if code else None
        by_name = self._by_name.get(fold(name), set()) if name else None
        if by_code is None or by_name is None:
            return by_code or by_name or set()
        return by_code & by_name


def _code(text: str) -> str:
    return fold(text).translate(DASHES)


def read_catalogue(lines: Iterable[str]) -> tuple[Project, ...]:
    """The projects of a catalogue in CSV: occupation_code, occupation, direction, levels `5 4 3`.

    Raises KeyError or ValueError where a column is missing or a level is none.
    Source: 沪人社职〔2024〕447号, the list of 48 projects (`data/occupations-2024-447.csv`).
    """
    return tuple(
        Project(line["occupation_code"], line["occupation"], line["direction"], Level(int(level)))
        for line in csv.DictReader(lines)
        for level in line["levels"].split()
    )
