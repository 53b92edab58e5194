"""Builders of files, good and hostile; nothing binary is kept."""
