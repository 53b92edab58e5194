"""Cipher, blind index, audit chain, passwords."""
