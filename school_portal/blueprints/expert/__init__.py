"""Experts: the applications they judge."""
