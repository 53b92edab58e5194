"""RQ alone: each job is a few lines around a service."""
