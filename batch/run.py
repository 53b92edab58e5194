"""What RQ calls: one ledger id in, the job's own function found by its name."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import structlog
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from school_portal import jobs
from school_portal.app import build
from school_portal.extensions import db
from school_portal.models import Job, JobState
from school_portal.services.portal import Portal
