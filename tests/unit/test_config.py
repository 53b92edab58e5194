"""A malformed setting stops the start with one line that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from school_portal.config import MailServer, SettingsError, read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCHOOL_PORTAL_DATABASE_URL", "mysql://host/portal"),
        ("SCHOOL_PORTAL_ENCRYPTION_KEYS", "short"),
        ("SCHOOL_PORTAL_ENCRYPTION_KEYS", "AAAA,AAAA"),
        ("SCHOOL_PORTAL_ORIGIN", "portal.example.cn"),
        ("SCHOOL_PORTAL_ORIGIN", "https://portal.example.cn/path"),
        ("SCHOOL_PORTAL_SMTP_URL", "smtp://mail.example.cn"),
        ("SCHOOL_PORTAL_MAIL_FROM", "portal"),
        ("SCHOOL_PORTAL_KEY_ID_OID", "keyID"),
        ("SCHOOL_PORTAL_KEY_ID_OID", "1.2.156.0205"),
        ("SCHOOL_PORTAL_KEY_AGENT", "soft-key"),
        ("SCHOOL_PORTAL_KEY_AGENT", "../key http://127.0.0.1:18765"),
        ("SCHOOL_PORTAL_KEY_AGENT", "unknown http://127.0.0.1:18765"),
        ("SCHOOL_PORTAL_KEY_AGENT", "soft-key http://127.0.0.1:18765; script-src *"),
        ("PORT", "http"),
        ("PORT", "70000"),
    ],
)
def test_a_malformed_setting_is_named_in_one_line(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as told:
        read({"SCHOOL_PORTAL_HOME": str(tmp_path), name: value})
    assert name in str(told.value)
    assert "\n" not in str(told.value)


def test_secrets_are_required_with_postgresql(tmp_path: Path) -> None:
    environment = {
        "SCHOOL_PORTAL_HOME": str(tmp_path),
        "SCHOOL_PORTAL_DATABASE_URL": "postgresql://host/portal",
    }
    with pytest.raises(SettingsError, match="SCHOOL_PORTAL_"):
        read(environment)


def test_an_origin_is_taken_as_given(tmp_path: Path) -> None:
    origin = "https://portal.example.cn:8443"
    environment = {"SCHOOL_PORTAL_HOME": str(tmp_path), "SCHOOL_PORTAL_ORIGIN": origin}
    assert read(environment).origin == origin


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.cn", ("mail.example.cn", 587, False, "", "")),
        (
            "smtps://portal%40example.cn:a%3Ab@mail.example.cn",
            ("mail.example.cn", 465, True, "portal@example.cn", "a:b"),
        ),
        ("smtp://[::1]:2525/", ("::1", 2525, False, "", "")),
        ("http://mail.example.cn", None),
        ("smtp://", None),
        ("smtp://mail.example.cn:port", None),
        ("smtp://mail.example.cn/inbox", None),
    ],
)
def test_a_mail_server_is_read_from_its_address(
    tmp_path: Path, url: str, expected: tuple[str, int, bool, str, str] | None
) -> None:
    environment = {
        "SCHOOL_PORTAL_HOME": str(tmp_path),
        "SCHOOL_PORTAL_SMTP_URL": url,
        "SCHOOL_PORTAL_MAIL_FROM": "portal@example.cn",
    }
    if expected is None:
        with pytest.raises(SettingsError, match="SCHOOL_PORTAL_SMTP_URL"):
            read(environment)
        return
    assert read(environment).mail == MailServer(*expected, "portal@example.cn")
