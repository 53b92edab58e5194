"""Where in the portal a school puts right what a rule refuses: the rules know no page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import url_for

from school_portal.blueprints.school.blueprint import blueprint
from school_portal.domain.violations import CHOICE_NEEDED, RULES

# What there is to do, and the page on which it is done; None where the school can only wait.
REMEDIES: Mapping[str, tuple[str, str] | None] = MappingProxyType(
    {
        "ACCOUNT": ("查看账户", "school.account"),
        "ENROLLED": ("更新名册", "school.upload"),
        "GRADUATING-YEAR": ("更新名册", "school.upload"),
        "LEVEL-CAP": ("更新名册", "school.upload"),
        "EVALUATED": ("申请专业评估", "school.evaluations"),
        "PERMITTED": ("申请权限", "school.new_permissions"),
        "SCOPE": ("查评价机构名录", "register.bodies"),
        "COOPERATION": ("查看校企合作协议", "school.account"),
        "OWN-STUDENTS": ("选定评价机构", "school.specialties"),
        "NATIONAL-STANDARD": ("查评价机构名录", "register.bodies"),
        "RESTRICTED": None,
        "ONCE": ("查看团体申报", "school.applications"),
        CHOICE_NEEDED: ("选定评价机构", "school.specialties"),
    }
)


def remedy(code: str) -> tuple[str, str] | None:
    """What to do about that rule's refusal, and its address."""
    found = REMEDIES[code]
    return (found[0], url_for(found[1])) if found else None


@blueprint.context_processor
def reasons() -> dict[str, Any]:
    """For pages that list reasons."""
    return {"rules": RULES, "remedy": remedy}
