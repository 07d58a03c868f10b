"""Fixtures of the portal's tests."""

from tests.portal.cast import clock, db, world

__all__ = ["clock", "db", "world"]
