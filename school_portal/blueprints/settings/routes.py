"""All routes of the blueprint."""

from school_portal.blueprints.settings import (
    audit,
    ca,
    mail,
    notices,
    password,
    policies,
    second_factor,
    sign_ins,
    users,
    windows,
    workdays,
)
from school_portal.blueprints.settings.blueprint import blueprint

__all__ = [
    "audit",
    "blueprint",
    "ca",
    "mail",
    "notices",
    "password",
    "policies",
    "second_factor",
    "sign_ins",
    "users",
    "windows",
    "workdays",
]
