"""Writing an application: saving, lines under the cap, documents, what is still missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import ANNEX_FIELDS, EvaluationAction
from school_portal.domain.workflow import Role
from school_portal.models import EvaluationLine, Specialty, SpecialtyEvaluation
from school_portal.services import (
    evaluation_check,
    evaluations,
    policies,
    training_programmes,
)
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.evaluations import DRINKS_3, DRINKS_4, NURSE_5, PDF, WRITTEN, Desk, carry_more
from tests.factories.operation import Operation, running
from tests.files.hostile import png

ON = date(2026, 10, 15)


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    carry_more(session, made)
    return made


@pytest.fixture
def desk(session: Session, portal: Portal, operation: Operation) -> Desk:
    return Desk.of(session, portal, operation.school)


def told(desk: Desk, evaluation: SpecialtyEvaluation) -> list[tuple[str, bool]]:
    found = evaluation_check.problems(desk.session, desk.portal, evaluation, ON)
    return [(one.place, one.warning) for one in found]


def test_one_draft_for_each_training_level_of_the_school(desk: Desk) -> None:
    desk.school.training_levels = "secondary,higher"
    secondary, higher = desk.draft(), desk.draft(TrainingLevel.HIGHER)
    assert secondary.training_level is TrainingLevel.SECONDARY
    assert higher.id != secondary.id
    assert desk.draft() is secondary


def test_no_draft_for_a_training_level_of_others(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.draft(TrainingLevel.HIGHER)


def test_what_was_saved_is_there_and_telephones_are_sealed(desk: Desk, portal: Portal) -> None:
    evaluation = desk.draft()
    desk.save(evaluation, **WRITTEN)
    assert evaluations.fields(portal.vault, evaluation) == WRITTEN
    assert evaluation.leader_phone_sealed is not None
    assert b"13800000001" not in evaluation.leader_phone_sealed
    desk.save(evaluation, leader_phone="")
    assert evaluation.leader_phone_sealed is None


def test_the_second_of_two_editors_is_told(desk: Desk, clock: FakeClock) -> None:
    evaluation = desk.draft()
    read = evaluation.version
    clock.now += timedelta(minutes=5)
    desk.save(evaluation, contact="丙老师")
    with pytest.raises(Refused, match=r"2026-10-15 10:05 .*没有保存"):
        evaluations.save(
            desk.session, desk.portal, desk.actor, evaluation, {"contact": "丁老师"}, read
        )
    assert evaluation.contact == "丙老师"


def test_saving_the_same_again_disturbs_nobody(desk: Desk) -> None:
    evaluation = desk.draft()
    desk.save(evaluation, **WRITTEN)
    read = evaluation.version
    desk.save(evaluation, **WRITTEN)
    assert evaluation.version == read


def test_the_cap_while_one_chooses(desk: Desk) -> None:
    evaluation = desk.draft()
    found = evaluation_check.choices(desk.session, desk.portal, evaluation, "tys")
    assert found.allowed == [DRINKS_4]
    [(project, text, clause)] = found.above
    assert project == DRINKS_3
    assert "中职学生最高可申报四级/中级工" in text
    assert clause == "沪人社职〔2021〕401号 一；沪职鉴中心〔2021〕17号 一"
    with pytest.raises(Refused, match=r"最高可申报四级.*17号 一"):
        desk.add(evaluation, DRINKS_3)


def test_a_line_comes_from_the_register_and_once(desk: Desk, operation: Operation) -> None:
    evaluation = desk.draft()
    desk.add(evaluation)
    with pytest.raises(Refused, match="不必重复填写"):
        desk.add(evaluation)
    operation.social.filed_until = date(2026, 10, 14)
    with pytest.raises(Refused, match=r"备案有效.*附件1说明3"):
        desk.add(evaluation, NURSE_5)


def test_lines_are_numbered_in_their_order(desk: Desk) -> None:
    evaluation = desk.draft()
    first, second = desk.add(evaluation), desk.add(evaluation, NURSE_5)
    evaluations.remove_line(desk.session, desk.portal, desk.actor, evaluation, first)
    desk.session.flush()
    assert [(line.id, line.position) for line in evaluation.lines] == [(second, 1)]
    assert desk.session.get(EvaluationLine, first) is None


def test_a_specialty_of_another_school_or_level_is_none(desk: Desk, operation: Operation) -> None:
    evaluation = desk.draft()
    higher = Specialty(
        school_id=desk.school.id, code="540201", name="餐饮管理",
        training_level=TrainingLevel.HIGHER,
    )  # fmt: skip
    desk.session.add(higher)
    desk.session.flush()
    for specialty in (higher.id, operation.other.specialties[0].id, 0):
        with pytest.raises(NotFound):
            evaluations.add_line(
                desk.session, desk.portal, desk.actor, evaluation, specialty, DRINKS_4
            )


def test_everything_that_is_missing_is_told_at_its_place(desk: Desk) -> None:
    evaluation = desk.draft()
    missing = [name for name in ANNEX_FIELDS if name != "legal_representative"]
    assert told(desk, evaluation) == [(place, False) for place in (*missing, "lines")]
    desk.save(evaluation, **{**WRITTEN, "leader_phone": "12345"})
    line = desk.add(evaluation)
    specialty = desk.school.specialties[0].id
    assert told(desk, evaluation) == [
        ("leader_phone", False), (f"line-{line}", True), (f"programmes-{specialty}", False)
    ]  # fmt: skip
    desk.save(evaluation, leader_phone="021-62748577-4112")
    desk.attach(evaluation)
    assert told(desk, evaluation) == [(f"line-{line}", True)]


@pytest.mark.parametrize("spoil", ["cap", "register", "twice"])
def test_lines_are_judged_again_at_submission(desk: Desk, operation: Operation, spoil: str) -> None:
    evaluation = desk.complete()
    line = evaluation.lines[0]
    if spoil == "cap":
        line.level = 3
    elif spoil == "register":
        operation.social.filed_until = date(2026, 10, 14)
    else:
        second = desk.add(evaluation, NURSE_5)
        for name in ("occupation_code", "occupation", "level"):
            setattr(evaluations.own_line(evaluation, second), name, getattr(line, name))
    with pytest.raises(Refused, match="还有 1 处须改正"):
        desk.submit(evaluation)


def test_the_one_level_where_lower_ones_are_not_allowed(desk: Desk, portal: Portal) -> None:
    bureau = Actor(None, Role.BUREAU, None, "user:bureau")
    policies.change(desk.session, portal, bureau, "lower_levels_allowed", "否", "只报上限等级")
    found = evaluation_check.choices(desk.session, portal, desk.draft(), "")
    assert found.allowed == [DRINKS_4]


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "空的"),
        (b"MZ\x90\x00" + bytes(100), "不是 PDF、Word"),
        (b"<html><script>alert(1)</script></html>", "不是 PDF、Word"),
        (b"%PDF-1.7" + bytes(training_programmes.LIMIT), "超过 20 MB"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF<script>", "图片已损坏"),
    ],
)
def test_what_is_no_document_is_refused_whatever_its_name(
    desk: Desk, content: bytes, said: str
) -> None:
    evaluation = desk.draft()
    with pytest.raises(Refused, match=said):
        desk.attach(evaluation, content)
    assert evaluation.programmes == []
    assert list(desk.portal.storage.names()) == []


@pytest.mark.parametrize(
    "name, kept",
    [
        ("方案.docx", "方案.pdf"),
        ("C:\\文件\\方案.PDF", "方案.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("a\r\nb.pdf", "ab.pdf"),
        ("", "人才培养方案.pdf"),
        ("长" * 300, "长" * 100 + ".pdf"),
        ("310104200903140010 方案.pdf", "310104********0010 方案.pdf"),
    ],
)
def test_the_name_that_is_kept(desk: Desk, name: str, kept: str) -> None:
    evaluation = desk.draft()
    desk.attach(evaluation, PDF, name)
    assert [one.file_name for one in evaluation.programmes] == [kept]


def test_of_a_picture_its_pixels_are_kept_and_their_hash(desk: Desk) -> None:
    evaluation = desk.draft()
    desk.attach(evaluation, png() + b"PK\x03\x04 and more", "照片.jpg")
    (made,) = evaluation.programmes
    kept = desk.portal.storage.open(made.storage_key).read()
    assert b"and more" not in kept
    assert (made.file_name, made.sha256, made.size) == (
        "照片.png",
        sha256(kept).hexdigest(),
        len(kept),
    )


def test_a_detached_document_is_gone_from_the_application_alone(desk: Desk) -> None:
    evaluation = desk.draft()
    made = desk.attach(evaluation)
    arguments = (desk.session, desk.portal, desk.actor, evaluation, made)
    training_programmes.detach(*arguments)
    assert evaluation.programmes == []
    kept = training_programmes.one(desk.session, evaluation, made)
    assert desk.portal.storage.open(kept.storage_key).read() == PDF
    with pytest.raises(NotFound):
        training_programmes.detach(*arguments)


Edit = Callable[[Desk, SpecialtyEvaluation], object]
EDITS: dict[str, Edit] = {
    "fields": lambda desk, one: desk.save(one, address="别处"),
    "lines": lambda desk, one: evaluations.change_line(
        desk.session, desk.portal, desk.actor, one, one.lines[0].id, NURSE_5
    ),
    "add_lines": lambda desk, one: desk.add(one, NURSE_5),
    "programmes": lambda desk, one: desk.attach(one),
}


@pytest.mark.parametrize("named", EDITS)
def test_a_correction_changes_what_it_names_alone(desk: Desk, named: str) -> None:
    evaluation = desk.complete()
    desk.submit(evaluation)
    for edit in EDITS.values():
        with pytest.raises(Refused, match="内容不能再改"):
            edit(desk, evaluation)
    everything = {
        "fields": ["address"],
        "lines": [evaluation.lines[0].id],
        "programmes": [desk.school.specialties[0].id],
        "add_lines": True,
    }
    evaluation.unlocked = {named: everything[named]}
    desk.decide(evaluation, EvaluationAction.RETURN)
    for part, edit in EDITS.items():
        if part == named:
            continue
        with pytest.raises(Refused, match="不在这次退回补正的范围内"):
            edit(desk, evaluation)
    with pytest.raises(Refused, match="联系人"):
        desk.save(evaluation, contact="丁老师")
    EDITS[named](desk, evaluation)


def test_what_a_correction_adds_can_be_given_its_document_or_taken_away(desk: Desk) -> None:
    evaluation = desk.complete()
    desk.submit(evaluation)
    evaluation.unlocked = {"add_lines": True}
    desk.decide(evaluation, EvaluationAction.RETURN)
    other = Specialty(
        school_id=desk.school.id, code="740301", name="导游服务",
        training_level=TrainingLevel.SECONDARY,
    )  # fmt: skip
    desk.session.add(other)
    desk.session.flush()
    arguments = (desk.session, desk.portal, desk.actor, evaluation)
    line = evaluations.add_line(*arguments, other.id, DRINKS_4)
    assert evaluations.may_attach(evaluation, other.id)
    assert not evaluations.may_attach(evaluation, desk.school.specialties[0].id)
    with pytest.raises(Refused):
        evaluations.remove_line(*arguments, evaluation.lines[0].id)
    evaluations.remove_line(*arguments, line.id)
    assert desk.session.scalar(sa.select(sa.func.count()).select_from(EvaluationLine)) == 3
