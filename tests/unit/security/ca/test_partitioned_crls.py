"""CRLs of one issuer by distribution points and kinds of certificates (RFC 5280, 6.3.3)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from asn1crypto.x509 import (
    CRLDistributionPoints,
    DistributionPoint,
    DistributionPointName,
    GeneralName,
    GeneralNames,
    Name,
)

from school_portal.demo import authority
from school_portal.demo.authority import Issued, extension
from school_portal.security.ca.certificates import Malformed
from school_portal.security.ca.verification import CaRefused
from school_portal.services import ca_state
from tests.factories.authority import DAY, KEY_ID, NOW, OID, World, partition
from tests.unit.security.ca.test_openssl import OpenSsl
from tests.unit.security.ca.test_openssl import pytestmark as needs_openssl
from tests.unit.security.ca.test_verification import judged

KINDS = ("rsa", "sm2")
ONE, TWO = "http://ca.example/1.crl", "http://ca.example/2.crl"
DIRECTORY = "CN=crl1"
STALE = (NOW - 2 * DAY, NOW - DAY)
OK = "ok"


def _names(*places: str) -> GeneralNames:
    return GeneralNames(
        [
            GeneralName("directory_name", Name.build({"common_name": one[3:]}))
            if one.startswith("CN=")
            else GeneralName("uniform_resource_identifier", one)
            for one in places
        ]
    )


def _point(*places: str) -> dict[str, Any]:
    if not places:
        return {}
    return {"distribution_point": DistributionPointName("full_name", _names(*places))}


def _relative() -> dict[str, Any]:
    name = Name.build({"common_name": "crl1"}).chosen[0]
    return {"distribution_point": DistributionPointName("name_relative_to_crl_issuer", name)}


def leaf(world: World, *points: dict[str, Any]) -> Issued:
    """A person's certificate that names those distribution points."""
    given = authority.for_a_person(KEY_ID, OID)
    if points:
        value = CRLDistributionPoints([DistributionPoint(one) for one in points])
        given.append(extension("2.5.29.31", value.dump()))
    return world.leaf(extensions=given)


def give(
    world: World,
    *revoked: Issued,
    ca: Issued | None = None,
    dates: tuple[datetime, datetime] = (NOW - DAY, NOW + DAY),
    **fields: Any,
) -> None:
    """Another CRL of the intermediate; complete without fields."""
    assert world.crls is not None
    of = partition(**fields) if fields else []
    world.crls.append(authority.revoke(ca or world.middle, revoked, *dates, of))


def outcome(world: World, one: Issued) -> str:
    try:
        judged(world, one)
    except CaRefused as refused:
        return refused.code
    return OK


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> World:
    """Whose intermediate has no CRL yet."""
    made = World(request.param)
    made.crls = []
    return made


ALL, FOREIGN = {"key_compromise", "ca_compromise"}, "CN=他人"
MATCHES = {
    "its own": (OK, [_point(ONE)], _point(ONE)),
    "one name of several": (OK, [_point(ONE, DIRECTORY)], _point(TWO, DIRECTORY)),
    "one point of several": (OK, [_point(TWO), _point(ONE)], _point(ONE)),
    "by directory name": (OK, [_point(DIRECTORY)], _point(DIRECTORY)),
    "another one": ("ca.crl-stale", [_point(ONE)], _point(TWO)),
    "no points in the certificate": ("ca.crl-stale", [], _point(ONE)),
    "no name in the point": ("ca.crl-stale", [{"crl_issuer": _names(ONE)}], _point(ONE)),
    "relative names": ("ca.crl-stale", [_relative()], _relative()),
    "for some reasons": ("ca.crl-stale", [{**_point(ONE), "reasons": ALL}], _point(ONE)),
    "a foreign issuer's": (
        "ca.crl-stale", [{**_point(ONE), "crl_issuer": _names(FOREIGN)}], _point(ONE),
    ),
    "users only": (OK, [], {"only_contains_user_certs": True}),
    "users only, its own": (OK, [_point(ONE)], {**_point(ONE), "only_contains_user_certs": True}),
    "CAs only": ("ca.crl-stale", [_point(ONE)], {**_point(ONE), "only_contains_ca_certs": True}),
    "attributes": (
        "ca.crl-stale", [_point(ONE)], {**_point(ONE), "only_contains_attribute_certs": True},
    ),
    "indirect": ("ca.crl-stale", [_point(ONE)], {**_point(ONE), "indirect_crl": True}),
    "some reasons": ("ca.crl-stale", [_point(ONE)], {**_point(ONE), "only_some_reasons": ALL}),
    "no reasons": ("ca.crl-stale", [_point(ONE)], {**_point(ONE), "only_some_reasons": set()}),
}  # fmt: skip


@pytest.mark.parametrize(
    "expected, points, fields", [pytest.param(*one, id=name) for name, one in MATCHES.items()]
)
def test_which_list_is_for_a_certificate(
    world: World, expected: str, points: list[dict[str, Any]], fields: dict[str, Any]
) -> None:
    person = leaf(world, *points)
    give(world, **fields)
    assert outcome(world, person) == expected
    give(world, person, dates=(NOW - DAY / 2, NOW + DAY), **fields)
    assert outcome(world, person) == (expected if expected != OK else "ca.revoked")


def test_a_point_that_names_its_own_issuer_counts(world: World) -> None:
    own = GeneralName("directory_name", world.middle.certificate.subject)
    person = leaf(world, {**_point(ONE), "crl_issuer": GeneralNames([own])})
    give(world, **_point(ONE))
    assert outcome(world, person) == OK


def test_listed_in_another_partition_is_neither_revoked_nor_known(world: World) -> None:
    person = leaf(world, _point(ONE))
    give(world, person, **_point(TWO))
    assert outcome(world, person) == "ca.crl-stale"
    give(world, **_point(ONE))
    assert outcome(world, person) == OK


@pytest.mark.parametrize("other", [{}, _point(ONE, TWO)])
def test_any_list_within_its_dates_revokes_and_one_suffices(
    world: World, other: dict[str, Any]
) -> None:
    person = leaf(world, _point(ONE))
    give(world, person, dates=STALE, **_point(ONE))
    assert outcome(world, person) == "ca.revoked"
    give(world, **other)
    assert outcome(world, person) == OK
    give(world, person, dates=(NOW - 3 * DAY, NOW + DAY), only_contains_user_certs=True)
    assert outcome(world, person) == "ca.revoked"


def test_the_newest_of_a_partition_counts_whatever_came_in_others(world: World) -> None:
    person = leaf(world, _point(ONE))
    give(world, person, dates=(NOW - 2 * DAY, NOW + DAY), **_point(ONE))
    give(world, dates=(NOW - DAY / 2, NOW + DAY), **_point(TWO))
    assert outcome(world, person) == "ca.revoked"
    give(world, **_point(ONE))
    assert outcome(world, person) == OK


def test_a_partition_past_its_dates_is_not_made_up_for_by_another(world: World) -> None:
    person = leaf(world, _point(ONE))
    give(world, dates=STALE, **_point(ONE))
    give(world, **_point(TWO))
    assert outcome(world, person) == "ca.crl-stale"
    give(world, person, dates=(NOW - 1.5 * DAY, NOW - DAY), **_point(ONE))
    assert outcome(world, person) == "ca.revoked"


def test_an_intermediate_is_in_the_list_of_cas(world: World) -> None:
    give(world)
    give(world, world.middle, ca=world.root, only_contains_user_certs=True)
    assert outcome(world, world.leaf()) == OK
    give(world, world.middle, ca=world.root, only_contains_ca_certs=True)
    assert outcome(world, world.leaf()) == "ca.revoked"


def test_points_that_are_none_are_malformed() -> None:
    world = World("rsa")
    person = authority.for_a_person(KEY_ID, OID)
    spoiled = world.leaf(extensions=[*person, extension("2.5.29.31", b"\x30\x03\x02\x01\x01")])
    with pytest.raises(Malformed):
        judged(world, spoiled)


def test_an_issuer_is_shown_with_the_list_that_ends_first(world: World) -> None:
    give(world, dates=(NOW - DAY, NOW + 3 * DAY), **_point(ONE))
    give(world, dates=STALE, **_point(TWO))
    give(world, **_point(TWO))
    root, middle = ca_state.issuers(world.trust(), NOW)
    assert (root.crl, root.crls, root.stale_crls) == (None, 0, 0)
    assert middle.crl is not None
    assert (middle.crl.next_update, middle.crls, middle.stale_crls) == (NOW + DAY, 2, 0)
    [_, later] = ca_state.issuers(world.trust(), NOW + 2 * DAY)
    assert (later.crls, later.stale_crls) == (2, 1)


PARTITIONS = """
[one]
issuingDistributionPoint = critical,@idp1
[two]
issuingDistributionPoint = critical,@idp2
[idp1]
fullname = URI:http://ca.example/1.crl
onlyuser = TRUE
[idp2]
fullname = URI:http://ca.example/2.crl
"""


@needs_openssl
def test_partitions_that_openssl_made(tmp_path: Path) -> None:
    made = OpenSsl(tmp_path, "rsa")
    cnf = (tmp_path / "cnf").read_text()
    named = cnf.replace("[person]\n", "[person]\ncrlDistributionPoints = URI:" + ONE + "\n")
    (tmp_path / "cnf").write_text(named + PARTITIONS)
    made.run(
        "x509 -req -in person.csr -CA root.pem -CAkey root.key -days 7 -set_serial 7"
        " -extfile cnf -extensions person -out person.pem"
    )
    crl = "ca -gencrl -config cnf -cert root.pem -keyfile root.key -out crl.pem -crlexts "
    made.run(crl + "one")
    assert made.judged("-digest sha256").key_id == "KEY@SF1"
    made.run(crl + "two")
    with pytest.raises(CaRefused, match=r"ca\.crl-stale"):
        made.judged("-digest sha256")
    made.run("ca -config cnf -cert root.pem -keyfile root.key -revoke person.pem")
    made.run(crl + "one")
    with pytest.raises(CaRefused, match=r"ca\.revoked"):
        made.judged("-digest sha256")
