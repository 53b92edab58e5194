"""The samples, a notice beside them, and the annexes with nothing filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import cast

from school_portal.domain.levels import Level
from school_portal.printing.forms import (
    AccountForm,
    EvaluationForm,
    OpinionForm,
    PermissionLine,
    PermissionNotice,
)
from school_portal.printing.samples import SAMPLES

EVALUATION = cast(EvaluationForm, SAMPLES["annex-1"])
ACCOUNT = cast(AccountForm, SAMPLES["annex-2"])
OPINION = cast(OpinionForm, SAMPLES["opinion"])
NOTICE = PermissionNotice(
    number="QX-2026-0001",
    status_text="已决定",
    verification_url="https://portal.example/verify/QX-2026-0001",
    issued=date(2026, 11, 9),
    school="上海市示例职业技术学校",
    lines=(
        PermissionLine(
            route="社会评价组织等级认定",
            node="社会评价组织等级认定",
            occupation="车工",
            level=Level.INTERMEDIATE,
            is_granted=True,
            decided_on=date(2026, 11, 6),
            reason="",
        ),
        PermissionLine(
            route="职业资格鉴定",
            node="",
            occupation="焊工",
            level=Level.INTERMEDIATE,
            is_granted=False,
            decided_on=date(2026, 11, 9),
            reason="专业评估不通过。",
        ),
    ),
)
BLANK_EVALUATION = replace(
    EVALUATION,
    school="",
    legal_representative="",
    leader="",
    leader_phone="",
    contact="",
    contact_phone="",
    address="",
    lines=(),
    school_opinion="",
    sealed_on=None,
)
BLANK_ACCOUNT = replace(
    ACCOUNT,
    school="",
    legal_representative="",
    district="",
    leader="",
    leader_mobile="",
    contact="",
    contact_mobile="",
    operator="",
    operator_document_number="",
    operator_key_id="",
    is_dual_certificate=False,
    lines=(),
    school_opinion="",
    handler="",
    handled_on=None,
    sealed_on=None,
)
