"""The pages of parcels, put together."""

from portal.parcels import courier_pages, resident_pages, staff_pages
from portal.parcels.pages import blueprint

__all__ = ["blueprint", "courier_pages", "resident_pages", "staff_pages"]
