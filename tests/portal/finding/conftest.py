"""The village, for tests of the search."""

from tests.portal.village import app, clock, db, laid_out, people, world

__all__ = ["app", "clock", "db", "laid_out", "people", "world"]
