"""The printed forms of cases: what is saved, laid out as the annexes ask."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.levels import Level
from school_portal.domain.permission import PermissionState
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.windows import civil_date
from school_portal.models import (
    AccountOpening,
    ExpertOpinion,
    PermissionRequest,
    SpecialtyEvaluation,
    StateChange,
)
from school_portal.printing import forms
from school_portal.printing.rendering import render
from school_portal.security import audit
from school_portal.security.vault import Vault
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal

UNNUMBERED = "提交后生成"
Address = Callable[[str], str]  # a record's uid → its verification page


def evaluation(vault: Vault, case: SpecialtyEvaluation, address: Address) -> bytes:
    """Annex 1 in three copies, as PDF; a draft says that it is one."""

    def phone(column: str, sealed: bytes | None) -> str:
        return vault.unseal("specialty_evaluations", column, case.row_key, sealed) if sealed else ""

    return render(
        forms.EvaluationForm(
            number=case.number or UNNUMBERED,
            status_text=case.state.label if case.number else "草稿·未提交",
            verification_url=address(case.uid),
            issued=civil_date(case.arrived_at or case.saved_at),
            training_level=case.training_level,
            school=case.school.name,
            legal_representative=case.legal_representative,
            leader=case.leader,
            leader_phone=phone("leader_phone", case.leader_phone_sealed),
            contact=case.contact,
            contact_phone=phone("contact_phone", case.contact_phone_sealed),
            address=case.address,
            lines=tuple(
                forms.ProjectLine(line.specialty.name, line.project.base.label, Level(line.level))
                for line in case.lines
            ),
            school_opinion=case.school_opinion,
        )
    )


def received(vault: Vault, case: SpecialtyEvaluation, address: Address) -> bytes:
    """Annex 1 as an office has it. Raises Refused while the school is correcting it."""
    if case.state is EvaluationState.RETURNED:
        raise Refused("申请已退回学校补正，正在修改，重新提交后方可打印。请在提交记录中查看原件。")
    return evaluation(vault, case, address)


def opinion(
    session: Session, case: SpecialtyEvaluation, address: Address, *, sealed: bool = False
) -> bytes:
    """The panel's opinion form, once all experts have concluded; to a school, once it is sealed.

    Raises Refused before.
    """
    wanted = {EvaluationState.SEALED} | (set() if sealed else {EvaluationState.OPINION_RECORDED})
    if case.state not in wanted:
        raise Refused(f"专家组评估意见表尚不能打印：申请当前为“{case.state.label}”。")
    members = [m for m in case.panel.members if not m.recused_at] if case.panel else []
    votes: dict[int, list[bool]] = {line.id: [] for line in case.lines}
    for given in session.scalars(
        sa.select(ExpertOpinion).where(ExpertOpinion.member_id.in_([m.id for m in members]))
    ):
        votes[given.line_id].append(given.approves)
    return render(
        forms.OpinionForm(
            number=f"{case.number}-YJ",
            status_text=case.state.label,
            verification_url=address(case.uid),
            issued=civil_date(max(m.finished_at for m in members if m.finished_at)),
            training_level=case.training_level,
            school=case.school.name,
            application_number=case.number or "",
            members=tuple(
                forms.PanelMember(m.expert.user.name, m.expert.employer) for m in members
            ),
            lines=tuple(
                forms.OpinionLine(
                    specialty=line.specialty.name,
                    occupation=line.project.base.label,
                    level=Level(line.level),
                    votes_for=sum(votes[line.id]),
                    votes_against=len(votes[line.id]) - sum(votes[line.id]),
                    is_approved=sum(votes[line.id]) * 2 > len(votes[line.id]),
                    reasons=line.panel_reasons,
                )
                for line in case.lines
            ),
        )
    )


def opening(
    session: Session, portal: Portal, actor: Actor, case: AccountOpening, address: Address
) -> bytes:
    """Annex 2, with the whole document number and keyID: it is signed, sealed and handed in.

    Whoever prints it reads them: that is on record.
    """
    vault = portal.vault
    audit.record(session, actor.label, "account-opening.print", case.subject, at=portal.clock())

    def unsealed(column: str, sealed: bytes | None) -> str:
        return vault.unseal("account_openings", column, case.row_key, sealed) if sealed else ""

    return render(
        forms.AccountForm(
            number=case.number or UNNUMBERED,
            status_text=case.state.label if case.number else "草稿·未提交",
            verification_url=address(case.uid),
            issued=civil_date(case.requested_at or case.saved_at),
            school=case.school.name,
            legal_representative=case.legal_representative,
            district=case.district,
            leader=case.leader,
            leader_mobile=unsealed("leader_mobile", case.leader_mobile_sealed),
            contact=case.contact,
            contact_mobile=unsealed("contact_mobile", case.contact_mobile_sealed),
            operator=case.operator,
            operator_document_number=unsealed("operator_document", case.operator_document_sealed),
            operator_key_id=unsealed("key_id", case.key_id_sealed),
            is_dual_certificate=case.dual_certificate,
            lines=tuple(
                forms.AccountLine(line.project.base.label, Level(line.level)) for line in case.lines
            ),
            school_opinion=case.opinion,
            handler=case.handler,
            handled_on=case.handled_on,
        )
    )


def permission_notice(session: Session, request: PermissionRequest, address: Address) -> bytes:
    """What the centre decided on the lines of a request; lines still open are not on it.

    Raises Refused where none is decided.
    """
    decided = [
        line
        for line in request.lines
        if line.state in (PermissionState.GRANTED, PermissionState.REFUSED)
    ]
    if not decided:
        raise Refused("这份申请还没有审核过的项目，审核后方可打印通知。")
    changes = {
        change.subject: change
        for change in session.scalars(
            sa.select(StateChange)
            .where(StateChange.subject.in_([line.subject for line in decided]))
            .order_by(StateChange.id)
        )
    }
    return render(
        forms.PermissionNotice(
            number=request.number or "",
            status_text="已审核" if len(decided) == len(request.lines) else "部分审核",
            verification_url=address(request.uid),
            issued=max(civil_date(changes[line.subject].at) for line in decided),
            school=request.school.name,
            lines=tuple(
                forms.PermissionLine(
                    route=line.route.label,
                    node=line.node.label if line.node else "",
                    occupation=line.project.base.label,
                    level=Level(line.level),
                    is_granted=line.state is PermissionState.GRANTED,
                    decided_on=civil_date(changes[line.subject].at),
                    reason=changes[line.subject].reason,
                )
                for line in decided
            ),
        )
    )
