"""A running operation's data taken over in one go, all or nothing (contract, opening data)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from importers.opening import Known, OpeningData, OpeningIssue, Row, projects, read_opening
from importers.sandbox import read_sheets
from school_portal.domain.facts import Basis, BodyState
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.projects import Occupation
from school_portal.domain.violations import Issue
from school_portal.models import (
    Body,
    BodyProject,
    CatalogueOccupation,
    Cooperation,
    EvaluationLine,
    Permission,
    School,
    Specialty,
)
from school_portal.security import audit
from school_portal.services import school_keys
from school_portal.services.access import Actor
from school_portal.services.portal import Portal


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows of each sheet were taken over; with an error among the issues, none."""

    counts: dict[str, int]
    issues: list[OpeningIssue]

    @property
    def is_done(self) -> bool:
        return not any(found.severity == "error" for found in self.issues)


def load(session: Session, portal: Portal, actor: Actor, source: BinaryIO) -> Loaded:
    """Take the workbook over: what is there by its key is updated, what is new is added.

    Nothing is written where anything is wrong. Loading the same workbook again changes nothing.
    """
    sheets = read_sheets(source)
    if isinstance(sheets, Issue):
        refusal = OpeningIssue("期初数据", None, None, "error", sheets.message)
        return Loaded({}, [refusal])
    data = read_opening(sheets, known(session))
    data.issues.extend(_keys_of_others(session, portal, data))
    if not data.is_sound:
        return Loaded({}, data.issues)
    _Loading(session, portal).run(data)
    counts = {sheet: len(rows) for sheet, rows in data.rows.items()}
    rows = sum(counts.values())
    audit.record(session, actor.label, "opening-data.load", "opening-data", rows=rows)
    return Loaded(counts, data.issues)


def known(session: Session) -> Known:
    """What is saved already and may be referred to."""
    schools = session.execute(sa.select(School.uscc, School.training_levels))
    specialties = session.execute(
        sa.select(School.uscc, Specialty.code, Specialty.training_level).join(
            School, School.id == Specialty.school_id
        )
    )
    return Known(
        schools={uscc: [TrainingLevel(one) for one in text.split(",")] for uscc, text in schools},
        specialties=set(specialties),
        bodies=set(session.scalars(sa.select(Body.uscc))),
        occupations=register(session),
    )


def register(session: Session) -> set[Occupation]:
    """The catalogue and every line that any body carries or carried (contract, roster)."""
    catalogue = sa.select(
        CatalogueOccupation.code, CatalogueOccupation.name, CatalogueOccupation.direction
    )
    carried = sa.select(BodyProject.occupation_code, BodyProject.occupation, BodyProject.direction)
    return {Occupation(*line) for line in session.execute(sa.union(catalogue, carried))}


def _keys_of_others(session: Session, portal: Portal, data: OpeningData) -> list[OpeningIssue]:
    """A keyID belongs to one account (rulebook 6, 2)."""
    found = []
    for row in data.rows["学校"]:
        if not row["keyID"]:
            continue
        index = portal.vault.index("key-id", row["keyID"])
        holder = session.scalar(sa.select(School.uscc).where(School.key_id_index == index))
        if holder is not None and holder != row["统一社会信用代码"]:
            text = f"工作表“学校”第 {row.number} 行“keyID”：已属于另一个账户，请核对后改正。"
            found.append(OpeningIssue("学校", row.number, "keyID", "error", text))
    return found


class _Loading:
    """Rows into tables, in the order in which they refer to each other."""

    def __init__(self, session: Session, portal: Portal) -> None:
        self.session = session
        self.vault, self.now = portal.vault, portal.clock()
        self.schools = {one.uscc: one for one in session.scalars(sa.select(School))}
        self.bodies = {one.uscc: one for one in session.scalars(sa.select(Body))}
        self.specialties: dict[tuple[str, str], dict[TrainingLevel, Specialty]] = defaultdict(dict)

    def run(self, data: OpeningData) -> None:
        """Everything, flushed but not committed."""
        for row in data.rows["学校"]:
            self._school(row)
        for row in data.rows["评价机构"]:
            self._body(row)
        self.session.flush()
        for one in self.session.scalars(sa.select(Specialty)):
            self._keep(one)
        for row in data.rows["专业"]:
            self._specialty(row)
        self.session.flush()
        for row in data.rows["评价项目"]:
            self._carried(row)
        for row in data.rows["评估结论"]:
            self._line(row)
        for row in data.rows["申报权限"]:
            self._permission(row)
        for row in data.rows["校企合作"]:
            self._cooperation(row)
        self.session.flush()

    def _school(self, row: Row) -> None:
        uscc = row["统一社会信用代码"]
        school = self.schools.setdefault(uscc, School(uscc=uscc))
        school.name = row["学校名称"]
        school.district = row["所属区"]
        school.legal_representative = row["法人代表"]
        school.training_levels = ",".join(sorted(level.value for level in row["培养层次"]))
        school.opened_on = row["开户日期"]
        if row["keyID"]:
            index = self.vault.index("key-id", row["keyID"])
            if school.key_id_index not in (None, index):
                school_keys.stop(self.session, school, self.now)
            school.key_id_index = index
            school.key_id_sealed = self.vault.seal("schools", "key_id", uscc.encode(), row["keyID"])
        self.session.add(school)

    def _body(self, row: Row) -> None:
        uscc = row["统一社会信用代码"]
        body = self.bodies.setdefault(uscc, Body(uscc=uscc))
        body.name = row["机构名称"]
        body.type = row["机构类型"]
        body.district = row["所属区"]
        body.filing_no = row["备案编号"]
        body.filed_from, body.filed_until = row["备案起"], row["备案止"]
        body.state = row["状态"] or BodyState.ACTIVE
        body.state_on = row["状态日期"]
        self.session.add(body)

    def _keep(self, specialty: Specialty) -> None:
        key = specialty.school.uscc, specialty.code
        self.specialties[key][specialty.training_level] = specialty

    def _specialty(self, row: Row) -> None:
        school = self.schools[row["学校代码"]]
        level = row["培养层次"]
        specialty = self.specialties[school.uscc, row["专业代码"]].get(level)
        if specialty is None:
            specialty = Specialty(school=school, code=row["专业代码"], training_level=level)
            self.session.add(specialty)
            self._keep(specialty)
        specialty.name = row["专业名称"]

    def _carried(self, row: Row) -> None:
        body = self.bodies[row["机构代码"]]
        for project in projects(row):
            self._put(BodyProject, {"body_id": body.id, **project.columns()}).basis = (
                row["评价依据"] or Basis.STANDARD
            )

    def _line(self, row: Row) -> None:
        levels = self.specialties[row["学校代码"], row["专业代码"]]
        specialty = levels[row["培养层次"]] if row["培养层次"] else next(iter(levels.values()))
        for project in projects(row):
            key = {
                "specialty_id": specialty.id,
                "starts_on": row["生效日期"],
                **project.columns(),
            }
            self._put(EvaluationLine, key).ends_on = row["失效日期"]

    def _permission(self, row: Row) -> None:
        for project in projects(row):
            key = {
                "school_id": self.schools[row["学校代码"]].id,
                "route": row["事项"],
                "node": row["节点"],
                "starts_on": row["开通日期"],
                **project.columns(),
            }
            self._put(Permission, key).ends_on = row["终止日期"]

    def _cooperation(self, row: Row) -> None:
        key = {
            "school_id": self.schools[row["学校代码"]].id,
            "body_id": self.bodies[row["机构代码"]].id,
            "starts_on": row["起"],
        }
        self._put(Cooperation, key).ends_on = row["止"]

    def _put(self, model: Any, key: dict[str, Any]) -> Any:
        """The row with that key; made where there is none."""
        found = self.session.scalar(sa.select(model).filter_by(**key))
        if found is None:
            found = model(**key)
            self.session.add(found)
        return found
