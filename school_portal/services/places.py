"""Where a case is looked at, by who looks: addresses that notices and work lists lead to."""

from __future__ import annotations

from school_portal.domain.workflow import Role


def evaluation(evaluation_id: int, role: Role) -> str:
    """An application for specialty evaluation, at its school or at the offices."""
    audience = "school" if role is Role.SCHOOL else "office"
    return f"/{audience}/evaluations/{evaluation_id}"


def review(member_id: int) -> str:
    """An expert's review."""
    return f"/expert/reviews/{member_id}"


def opening(opening_id: int, role: Role) -> str:
    """An application for an account, at its school or at the centre."""
    if role is Role.SCHOOL:
        return f"/school/account/openings/{opening_id}"
    return f"/centre/openings/{opening_id}"


def account(school_id: int, role: Role) -> str:
    """A school's account, at the school or at the centre."""
    return ACCOUNT if role is Role.SCHOOL else f"/centre/schools/{school_id}"


def permission_request(request_id: int) -> str:
    """What a school asked for together, at the centre."""
    return f"/centre/permissions/requests/{request_id}"


ACCOUNT = "/school/account"
SPECIALTIES = "/school/specialties"
APPLICATIONS = "/school/applications"
