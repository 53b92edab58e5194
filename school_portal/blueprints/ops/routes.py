"""Is it alive, is it ready, what does it do: for load balancers and Prometheus, not for people."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from time import perf_counter

from flask import Flask, Response, abort, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest
import sqlalchemy as sa

from school_portal import jobs
from school_portal.blueprints.errors import problem
from school_portal.blueprints.ops.blueprint import blueprint
from school_portal.extensions import db
from school_portal.services.portal import current_portal
