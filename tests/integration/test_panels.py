"""Panels: proposed, convened, recused, replaced; opinions until the panel's own."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session, sessionmaker

from school_portal.domain.specialty_evaluation import EvaluationState, LineState
from school_portal.domain.workflow import Role
from school_portal.models import Expert, Notice, PanelMember, SpecialtyEvaluation
from school_portal.services import experts, opinions, panels, receiving
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.experts import Profile
from school_portal.services.portal import Portal
from tests.factories.evaluation import acting, expert, judge, officer, submitted, under_review
from tests.factories.operation import Operation, running, uscc


@pytest.fixture
def operation(session: Session) -> Operation:
    made = running(session)
    session.commit()
    return made


@pytest.fixture
def pool(session: Session, portal: Portal, operation: Operation) -> list[Expert]:
    """Seven of whom the last three may not judge the school, by code, by name, as disabled."""
    made = [expert(session, portal, f"e{number}") for number in range(4)]
    made.append(expert(session, portal, "same-code", employer_uscc=operation.school.uscc))
    made.append(expert(session, portal, "same-name", employer=" 示例中等职业 学校"))
    made.append(expert(session, portal, "disabled"))
    made[-1].user.active = False
    session.commit()
    return made


@pytest.fixture
def case(session: Session, operation: Operation) -> SpecialtyEvaluation:
    made = submitted(session, operation.school)
    session.commit()
    return made


@pytest.fixture
def centre(session: Session, portal: Portal) -> Actor:
    return officer(session, portal, Role.CENTRE)


def test_proposed_by_field_then_load_then_name(
    session: Session,
    portal: Portal,
    operation: Operation,
    pool: list[Expert],
    case: SpecialtyEvaluation,
) -> None:
    pool[3].fields = ["医疗护理员", "调饮师"]
    pool[0].fields = ["中式烹调师"]
    busy = submitted(session, operation.other)
    under_review(session, portal, busy, [pool[1], pool[4], pool[5]])
    proposed = panels.propose(session, case)
    assert [one.expert.name for one in proposed] == ["e3", "e2", "e1"]
    assert proposed[0].matches == ("医疗护理员", "调饮师")
    assert [one.expert.load for one in proposed] == [0, 0, 1]
    rest = panels.candidates(session, case)[3:]
    assert [(one.expert.name, bool(one.objection)) for one in rest] == [
        ("e0", False),
        ("disabled", True),
        ("same-code", True),
        ("same-name", True),
    ]


@pytest.mark.parametrize(
    "chosen, said",
    [
        ([], "选了 0 名专家.*一2；本平台规则"),
        ([0], "选了 1 名专家"),
        ([0, 1], "选了 2 名专家"),
        ([0, 1, 2, 3], "选了 4 名专家"),
        ([0, 1, 1], "选了 2 名专家"),
        ([0, 1, 4], "same-code的工作单位是申请学校.*本平台规则：专家不评估所属单位"),
        ([0, 1, 5], "same-name的工作单位是申请学校"),
        ([0, 4, 5], "same-code.*same-name"),
        ([0, 1, 6], "disabled的账户已停用"),
    ],
)
def test_what_is_no_panel_is_refused(
    session: Session,
    portal: Portal,
    pool: list[Expert],
    case: SpecialtyEvaluation,
    centre: Actor,
    chosen: list[int],
    said: str,
) -> None:
    receiving.accept(session, portal, Actor(None, Role.TEACHING_OFFICE, None, "user:0"), case)
    with pytest.raises(Refused, match=said):
        panels.convene(session, portal, centre, case, [pool[place].id for place in chosen])
    assert case.state is EvaluationState.ACCEPTED


def test_the_centre_alone_convenes_what_was_accepted(
    session: Session, portal: Portal, pool: list[Expert], case: SpecialtyEvaluation, centre: Actor
) -> None:
    chosen = [one.id for one in pool[:3]]
    with pytest.raises(Refused, match="已提交"):
        panels.convene(session, portal, centre, case, chosen)
    receiver = Actor(None, Role.TEACHING_OFFICE, None, "user:0")
    receiving.accept(session, portal, receiver, case)
    for role in set(Role) - {Role.CENTRE}:
        with pytest.raises((NotFound, Refused)):
            panels.convene(session, portal, Actor(None, role, None, "user:0"), case, chosen)
    with pytest.raises(NotFound):
        panels.convene(session, portal, centre, case, [*chosen[:2], 0])
    with pytest.raises(Refused, match="完成期限"):
        panels.convene(session, portal, centre, case, chosen, date(2026, 10, 14))
    panel = panels.convene(session, portal, centre, case, chosen, date(2026, 10, 29))
    assert case.state is EvaluationState.UNDER_PANEL_REVIEW
    assert panel.due_on == date(2026, 10, 29)
    told = {one.user_id for one in session.query(Notice)}
    assert {one.user_id for one in pool[:3]} <= told
    assert sorted(one.expert_id for one in panel.members) == chosen


@pytest.mark.parametrize(
    "votes, outcome",
    [
        ([(1, 0), (1, 0), (0, 1)], (LineState.APPROVED, LineState.REFUSED)),
        ([(1, 1), (1, 1), (1, 1)], (LineState.APPROVED, LineState.APPROVED)),
        ([(0, 1), (0, 1), (0, 0), (1, 1), (1, 0)], (LineState.REFUSED, LineState.APPROVED)),
    ],
)
def test_the_majority_and_its_reasons_are_the_panels(
    session: Session,
    portal: Portal,
    operation: Operation,
    case: SpecialtyEvaluation,
    votes: list[tuple[int, int]],
    outcome: tuple[LineState, LineState],
) -> None:
    chosen = [expert(session, portal, f"e{number}") for number in range(len(votes))]
    members = under_review(session, portal, case, chosen)
    for place, (member, held) in enumerate(zip(members, votes, strict=True)):
        assert case.state is EvaluationState.UNDER_PANEL_REVIEW, place
        assert opinions.of_panel(case) == {}
        judge(session, portal, member, *map(bool, held))
    assert case.state is EvaluationState.OPINION_RECORDED
    assert tuple(line.state for line in case.lines) == outcome
    winners = [f"e{n}的理由1" for n, held in enumerate(votes) if held[0] == (votes[0][0])]
    assert case.lines[0].panel_reasons.split("\n") == winners
    assert case.lines[0].starts_on is None
    shown = opinions.of_panel(case)
    assert [one.approves for one in shown[case.lines[1].id]] == [bool(held[1]) for held in votes]


def test_drafts_are_kept_and_a_finished_opinion_is_final(
    session: Session, portal: Portal, pool: list[Expert], case: SpecialtyEvaluation
) -> None:
    member = under_review(session, portal, case, pool[:3])[0]
    first, second = (line.id for line in case.lines)

    def record(held: dict[int, tuple[bool, str]], finish: bool) -> None:
        opinions.record_opinions(session, portal, acting(member), member, held, finish=finish)

    record({first: (True, "")}, finish=False)
    with pytest.raises(Refused, match="第 1、2 项还没有意见或理由"):
        record({}, finish=True)
    record({first: (False, "课时不足")}, finish=False)
    assert [(one.approves, one.reasons) for one in member.opinions] == [(False, "课时不足")]
    with pytest.raises(Refused, match="不超过 1000"):
        record({second: (True, "长" * 1001)}, finish=False)
    with pytest.raises(NotFound):
        record({0: (True, "别的申请")}, finish=False)
    record({second: (True, "相符")}, finish=True)
    assert member.finished_at is not None
    with pytest.raises(Refused, match="不能再改"):
        record({first: (True, "改变主意")}, finish=False)


def test_an_opinion_is_the_experts_own(
    session: Session, portal: Portal, pool: list[Expert], case: SpecialtyEvaluation, centre: Actor
) -> None:
    mine, others, _ = under_review(session, portal, case, pool[:3])
    held = {case.lines[0].id: (True, "相符")}
    for stranger in (acting(others), centre, Actor(mine.expert.user_id, Role.ADMIN, None, "x")):
        with pytest.raises(NotFound):
            opinions.record_opinions(session, portal, stranger, mine, held, finish=False)
        with pytest.raises(NotFound):
            opinions.own(session, stranger, mine.id)
    assert opinions.own(session, acting(mine), mine.id) is mine
    assert opinions.assigned(session, acting(mine)) == [mine]
    assert opinions.assigned(session, centre) == []


def test_a_recused_expert_is_replaced_before_the_panel_concludes(
    session: Session, portal: Portal, pool: list[Expert], case: SpecialtyEvaluation, centre: Actor
) -> None:
    first, second, third = under_review(session, portal, case, pool[:3])
    judge(session, portal, first, True, True)
    panels.recuse(session, portal, acting(first), first, "曾在该校任教")
    with pytest.raises(Refused, match="已经回避"):
        panels.recuse(session, portal, centre, first, "曾在该校任教")
    judge(session, portal, second, True, False)
    judge(session, portal, third, False, False)
    assert case.state is EvaluationState.UNDER_PANEL_REVIEW
    for unfit, said in ((pool[1], "已经在这个专家组"), (pool[4], "申请学校"), (pool[6], "停用")):
        with pytest.raises(Refused, match=said):
            panels.replace(session, portal, centre, first, unfit.id)
    with pytest.raises(Refused, match="没有回避"):
        panels.replace(session, portal, centre, second, pool[3].id)
    with pytest.raises(NotFound):
        panels.replace(session, portal, acting(second), first, pool[3].id)
    successor = panels.replace(session, portal, centre, first, pool[3].id)
    with pytest.raises(Refused, match="有人接替"):
        panels.replace(session, portal, centre, first, pool[3].id)
    judge(session, portal, successor, False, False)
    assert case.state is EvaluationState.OPINION_RECORDED
    assert case.lines[0].state is LineState.REFUSED
    assert "e0" not in {one.expert for held in opinions.of_panel(case).values() for one in held}
    with pytest.raises(Refused, match="不能变动"):
        panels.recuse(session, portal, centre, second, "曾在该校任教")


def test_two_who_finish_at_once_make_one_panels_opinion(
    session: Session, portal: Portal, pool: list[Expert], case: SpecialtyEvaluation
) -> None:
    first, second, third = under_review(session, portal, case, pool[:3])
    judge(session, portal, first, True, True)
    key, actor, lines = third.id, acting(third), [line.id for line in case.lines]
    session.commit()
    others = sessionmaker(session.get_bind(), expire_on_commit=False)
    with others() as late:
        seen = late.get_one(PanelMember, key)
        assert [one.finished_at is None for one in seen.panel.members] == [False, True, True]
        assert seen.expert.user_id == actor.user_id
        late.commit()  # what it read before the other finished is old by now
        judge(session, portal, second, True, False)
        held = dict.fromkeys(lines, (True, "相符"))
        opinions.record_opinions(late, portal, actor, seen, held, finish=True)
        late.commit()
    session.expire_all()
    assert case.state is EvaluationState.OPINION_RECORDED


def test_two_of_five_recused_leave_no_panel(
    session: Session, portal: Portal, operation: Operation, case: SpecialtyEvaluation, centre: Actor
) -> None:
    chosen = [expert(session, portal, f"e{number}") for number in range(7)]
    members = under_review(session, portal, case, chosen[:5])
    for member in members[:2]:
        panels.recuse(session, portal, centre, member, "与该校合作编写教材")
    for member in list(members[2:]):
        judge(session, portal, member, True, True)
    assert case.state is EvaluationState.UNDER_PANEL_REVIEW
    for member, heir in zip(list(members[:2]), chosen[5:], strict=True):
        judge(
            session, portal, panels.replace(session, portal, centre, member, heir.id), False, True
        )
    assert case.state is EvaluationState.OPINION_RECORDED
    assert [line.state for line in case.lines] == [LineState.APPROVED] * 2


def test_a_declared_conflict_holds_for_the_schools_later_applications(
    session: Session,
    portal: Portal,
    operation: Operation,
    pool: list[Expert],
    case: SpecialtyEvaluation,
    centre: Actor,
) -> None:
    member = under_review(session, portal, case, pool[:3])[0]
    stranger = acting(member.panel.members[1])
    with pytest.raises(NotFound):
        panels.recuse(session, portal, stranger, member, "不熟悉")
    with pytest.raises(Refused, match="写明理由"):
        panels.recuse(session, portal, acting(member), member, " ")
    with pytest.raises(Refused, match="不超过 500 个字"):
        panels.recuse(session, portal, acting(member), member, "长" * 501)
    panels.recuse(session, portal, acting(member), member, "亲属在该校任职")
    with pytest.raises(Refused, match="您已回避"):
        opinions.record_opinions(session, portal, acting(member), member, {}, finish=False)
    later, elsewhere = submitted(session, operation.school), submitted(session, operation.other)
    objections = {one.expert.name: one.objection for one in panels.candidates(session, later)}
    assert "e0曾对该校声明回避" in objections["e0"]
    assert "e0" in [one.expert.name for one in panels.propose(session, elsewhere, 5)]


def test_an_expert_who_changes_to_the_school_judges_no_more(
    session: Session, portal: Portal, pool: list[Expert], case: SpecialtyEvaluation, centre: Actor
) -> None:
    member = under_review(session, portal, case, pool[:3])[0]
    moved = Profile(case.school.name, "", ("调饮师",))
    experts.edit(session, portal, centre, member.expert, moved)
    with pytest.raises(Refused, match=r"工作单位是申请学校.*请声明回避"):
        opinions.record_opinions(session, portal, acting(member), member, {}, finish=False)


@pytest.mark.parametrize(
    "profile, said",
    [
        (Profile(" ", "", ()), "请填写专家的工作单位"),
        (Profile("示例研究所", "913100001234567890", ()), "统一社会信用代码不对"),
        (Profile("示例研究所", "", ("调饮师", "不存在的职业")), "没有职业“不存在的职业”"),
    ],
)
def test_what_the_pool_refuses(
    session: Session, portal: Portal, operation: Operation, profile: Profile, said: str
) -> None:
    centre = Actor(None, Role.CENTRE, None, "user:0")
    with pytest.raises(Refused, match=said):
        experts.add(
            session,
            portal,
            centre,
            profile,
            username="e1",
            name="甲",
            password="long enough for all",
        )


def test_the_centre_keeps_the_pool(
    session: Session, portal: Portal, operation: Operation, centre: Actor
) -> None:
    profile = Profile("示例研究所", uscc(77).lower(), ("调饮师", " 调饮师 ", ""))
    made = experts.add(
        session, portal, centre, profile, username="e1", name="甲", password="long enough for all"
    )
    assert (made.employer_uscc, made.fields) == (uscc(77), ["调饮师"])
    assert made.user.role is Role.EXPERT
    assert list(experts.pool(session)) == [made]
    for role in set(Role) - {Role.CENTRE}:
        with pytest.raises(NotFound):
            experts.edit(session, portal, Actor(None, role, None, "user:0"), made, profile)
