"""The village, for tests of pages that gather from several features."""

from tests.portal.village import app, clock, db, laid_out, people, world

__all__ = ["app", "clock", "db", "laid_out", "people", "world"]
