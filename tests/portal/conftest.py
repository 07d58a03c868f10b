"""Fixtures of the portal's tests."""

from tests.portal.cast import app, clock, db, people, world

__all__ = ["app", "clock", "db", "people", "world"]
