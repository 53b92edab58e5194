"""Schools that sign: a CA in the settings, a school with a key, applications ready to be signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from sqlalchemy.orm import Session

from school_portal.demo.authority import Issued
from school_portal.domain.school_key import KeyState
from school_portal.models import (
    CaSignature,
    GroupApplication,
    School,
    SchoolKey,
    SignedSubmission,
    User,
)
from school_portal.security.ca.certificates import read_certificate
from school_portal.services import applications, signed_papers
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.services.signed_contents import of_application
from school_portal.services.signed_papers import Signed
from tests.factories.authority import KEY_ID, World, bundle_text, pem
from tests.factories.operation import Operation, running, student
from tests.factories.visitor import user
from tests.integration.test_rosters import saved

ORIGIN = "http://localhost"
CONSOLE = Actor.operator_at_the_console()


def ca_settings(folder: Path, world: World) -> dict[str, str]:
    """The world's files, and the settings that name them."""
    bundle, crls = folder / "bundle.pem", folder / "crls.pem"
    bundle.write_text(bundle_text(*world.bundle))
    crls.write_text("".join(pem("X509 CRL", der) for der in world.crls or ()))
    return {"SCHOOL_PORTAL_CA_BUNDLE": str(bundle), "SCHOOL_PORTAL_CA_CRLS": str(crls)}


@dataclass
class Signers:
    """A running operation whose first school has a key and drafts."""

    session: Session
    portal: Portal
    world: World
    operation: Operation
    person: User

    @property
    def actor(self) -> Actor:
        return Actor.of(self.person)

    def drafts(self, school: School, *numbers: int) -> list[GroupApplication]:
        """The school's applications for those students, by number."""
        saved(self.session, self.portal, school, [student(number) for number in numbers])
        job = applications.request_generation(
            self.session, self.portal, CONSOLE, school, self.portal.today()
        )
        made = applications.generate(self.session, self.portal, job)["created"]
        self.session.commit()
        return [self.session.get_one(GroupApplication, key) for key in made]

    def message(self, application: GroupApplication, origin: str = ORIGIN) -> str:
        return signed_papers.message(
            origin, of_application(self.session, self.portal.vault, application)
        )

    def signed(self, text: str, leaf: Issued | None = None, origin: str = ORIGIN) -> Signed:
        """What the school's key makes of the text."""
        leaf = leaf or self.world.leaf()
        return Signed(read_certificate(leaf.der), leaf.signer.sign(text.encode()), origin)


def kept(session: Session, portal: Portal, paper_uid: str, person: User) -> SignedSubmission:
    """A signed submission as it lies in the database, of no key's and of nothing."""
    uid, digest = uuid4().hex, sha256(paper_uid.encode()).hexdigest()
    signature = CaSignature(
        uid=uid,
        school_id=person.school_id,
        user_id=person.id,
        at=portal.clock(),
        purpose="submit",
        message="",
        signature=b"",
        certificate_sealed=portal.vault.seal("ca_signatures", "certificate", uid.encode(), ""),
        certificate_sha256=bytes(32),
        public_key_sha256=bytes(32),
        key_id_index=bytes(32),
    )
    made = SignedSubmission(
        paper_uid=paper_uid,
        arrived_at=portal.clock(),
        digest=digest,
        content_sealed=portal.vault.seal(*signed_papers.PLACE, digest.encode(), "{}"),
        signature=signature,
        issuers=[],
    )
    session.add(made)
    return made


def signers(session: Session, portal: Portal, world: World) -> Signers:
    operation = running(session)
    operation.school.key_id_index = portal.vault.index("key-id", KEY_ID)
    person = user(session, portal, "zhang", school=operation.school)
    session.commit()
    return Signers(session, portal, world, operation, person)


def waiting_key(session: Session, school: School, at: datetime) -> SchoolKey:
    """Another key pair of the school's keyID, which waits for the centre."""
    made = SchoolKey(
        school_id=school.id,
        public_key_sha256=bytes(32),
        certificate_sha256=bytes(range(32)),
        not_before=at,
        not_after=at + timedelta(days=365),
        first_seen_at=at,
        state=KeyState.WAITING,
    )
    session.add(made)
    session.flush()
    return made
