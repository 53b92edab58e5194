"""Is it alive, is it ready, what does it do: for load balancers and Prometheus, not for people."""

from __future__ import annotations
