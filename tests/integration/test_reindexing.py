"""A new index key: whoever was found is found, whatever was refused is refused, in one step."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from threading import Thread

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.app import build
from school_portal.config import Settings, read
from school_portal.extensions import db
from school_portal.models import (
    AccountOpening,
    ApplicationMember,
    AuditEvent,
    CaSignature,
    Restriction,
    RosterRow,
    School,
    Student,
    WrappedKey,
)
from school_portal.security.ca.certificates import read_certificate
from school_portal.security.cipher import KeyRing, Unreadable
from school_portal.security.vault import Vault
from school_portal.services import group_receipt, group_submission, key_sign_in, personal, reindexing, rosters
from school_portal.services.access import Actor, Refused
from school_portal.services.key_sign_in import Visit
from school_portal.services.portal import Portal
from school_portal.services.setup import initialise
from tests.factories.authority import KEY_ID, World
from tests.factories.operation import resident_id, student, workbook
from tests.factories.signing import ORIGIN, Signers, ca_settings, signers
from tests.integration.test_rosters import checked, codes, saved

CONSOLE = Actor.operator_at_the_console()
