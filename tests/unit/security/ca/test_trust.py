"""The files of what is trusted: fit at the start, and what they hold now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from school_portal.config import SettingsError
from school_portal.security.ca.trust import TrustFiles
from tests.factories.authority import OID, World, bundle_text, pem


@pytest.fixture(scope="module")
def world() -> World:
    return World("sm2", "rsa")


@pytest.fixture
def bundle(tmp_path: Path, world: World) -> Path:
    path = tmp_path / "bundle.pem"
    path.write_text("a remark\r\n" + bundle_text(*world.bundle).replace("\n", "\r\n"))
    return path


@pytest.fixture
def crls(tmp_path: Path, world: World) -> Path:
    path = tmp_path / "crls.pem"
    path.write_text("".join(pem("X509 CRL", der) for der in world.crls or ()))
    return path


def test_several_entries(bundle: Path, crls: Path) -> None:
    trust = TrustFiles(bundle, crls, OID).read()
    assert len(trust.bundle) == 2
    assert trust.crls is not None
    assert len(trust.crls) == 2


def test_no_lists_are_not_an_empty_list(bundle: Path) -> None:
    assert TrustFiles(bundle, None, OID).read().crls is None


SPOILED = [None, "", "text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]


@pytest.mark.parametrize("content", [*SPOILED, "-----BEGIN CERTIFICATE-----\nAAAA\n"])
@pytest.mark.parametrize("setting", ["CA_BUNDLE", "CA_CRLS"])
def test_a_file_that_is_not_fit_stops_the_start(
    bundle: Path, crls: Path, content: str | None, setting: str
) -> None:
    path = bundle if setting == "CA_BUNDLE" else crls
    path.unlink()
    if content is not None:
        path.write_text(
            content.replace("CERTIFICATE", "CERTIFICATE" if path is bundle else "X509 CRL")
        )
    with pytest.raises(SettingsError, match=f"SCHOOL_PORTAL_{setting} ") as told:
        TrustFiles(bundle, crls, OID)
    assert "\n" not in str(told.value)


def test_what_the_file_holds_counts_whatever_its_date(bundle: Path, world: World) -> None:
    files = TrustFiles(bundle, None, OID)
    before, both = bundle.stat(), files.read().bundle
    swapped = bundle_text(*reversed(world.bundle)).replace("\n", "\r\n")
    bundle.write_text("a remark\r\n" + swapped)
    os.utime(bundle, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert bundle.stat().st_size == before.st_size
    assert [one.der for one in files.read().bundle] == [one.der for one in reversed(both)]


def test_a_file_that_goes_bad_holds_nothing(bundle: Path, crls: Path) -> None:
    files = TrustFiles(bundle, crls, OID)
    bundle.write_text("half a fi")
    crls.unlink()
    trust = files.read()
    assert (trust.bundle, trust.crls) == ((), ())
