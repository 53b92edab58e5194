"""Forms filled with invented data, for `school-portal forms sample`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from school_portal.domain.levels import Level, TrainingLevel
from school_portal.printing.forms import (
    AccountForm,
    AccountLine,
    EvaluationForm,
    Form,
    OpinionForm,
    OpinionLine,
    PanelMember,
    ProjectLine,
)

_SCHOOL = "上海市示例职业技术学校"
_VERIFICATION = "https://portal.example/verify/"

_EVALUATION = EvaluationForm(
    number="ZP-2026-10-0001",
    status_text="草稿·未提交",
    verification_url=_VERIFICATION + "ZP-2026-10-0001",
    issued=date(2026, 10, 12),
    training_level=TrainingLevel.SECONDARY,
    school=_SCHOOL,
    legal_representative="示例甲",
    leader="示例乙",
    leader_phone="021-00000001",
    contact="示例丙",
    contact_phone="021-00000002",
    address="上海市示例区示例路 1 号",
    lines=(
        ProjectLine("数控技术应用", "车工", Level.INTERMEDIATE),
        ProjectLine("数控技术应用", "铣工", Level.INTERMEDIATE),
        ProjectLine("中餐烹饪", "中式烹调师", Level.INTERMEDIATE),
        ProjectLine("中餐烹饪", "中式烹调师", Level.JUNIOR),
        ProjectLine("西餐烹饪", "西式烹调师", Level.INTERMEDIATE),
        ProjectLine("护理", "健康照护师（长期照护师）", Level.INTERMEDIATE),
    ),
    school_opinion="经研究，同意申请。",
    sealed_on=date(2026, 10, 12),
)

_ACCOUNT = AccountForm(
    number="KH-2026-0001",
    status_text="已提交·待交原件",
    verification_url=_VERIFICATION + "KH-2026-0001",
    issued=date(2026, 10, 12),
    school=_SCHOOL,
    legal_representative="示例甲",
    district="示例区",
    leader="示例乙",
    leader_mobile="10000000001",
    contact="示例丙",
    contact_mobile="10000000002",
    operator="示例丁",
    operator_document_number="000000200001010000",
    operator_key_id="SAMPLE@SF00000000000000000000000001",
    is_dual_certificate=True,
    lines=(
        AccountLine("车工", Level.INTERMEDIATE),
        AccountLine("铣工", Level.INTERMEDIATE),
        AccountLine("中式烹调师", Level.INTERMEDIATE),
        AccountLine("健康照护师（长期照护师）", Level.INTERMEDIATE),
    ),
    school_opinion="情况属实，同意申报。",
    handler="示例丙",
    handled_on=date(2026, 10, 12),
    sealed_on=date(2026, 10, 12),
)

_OPINION = OpinionForm(
    number="YJ-2026-10-0001",
    status_text="意见已形成·待盖章",
    verification_url=_VERIFICATION + "YJ-2026-10-0001",
    issued=date(2026, 11, 2),
    training_level=TrainingLevel.SECONDARY,
    school=_SCHOOL,
    application_number=_EVALUATION.number,
    members=(
        PanelMember("示例专家一", "示例行业协会"),
        PanelMember("示例专家二", "示例技师学院"),
        PanelMember("示例专家三", "示例机械有限公司"),
    ),
    lines=tuple(
        OpinionLine(
            specialty=line.specialty,
            occupation=line.occupation,
            level=line.level,
            votes_for=votes_for,
            votes_against=3 - votes_for,
            is_approved=votes_for > 1,
            reasons=reasons,
        )
        for line, votes_for, reasons in zip(
            _EVALUATION.lines,
            (3, 2, 3, 3, 2, 1),
            (
                "课程与职业标准对应完整，实训设备齐全。",
                "课程覆盖职业标准主要内容；建议增加铣削实训课时。",
                "课程与职业标准对应完整，师资具备相应资格。",
                "课程与职业标准对应完整，师资具备相应资格。",
                "课程覆盖职业标准主要内容；建议补充成本核算内容。",
                "人才培养方案未包含长期照护的实训安排，与职业标准的技能要求不符。",
            ),
            strict=True,
        )
    ),
)

SAMPLES: Mapping[str, Form] = MappingProxyType(
    {"annex-1": _EVALUATION, "annex-2": _ACCOUNT, "opinion": _OPINION}
)
