"""The features of this installation, by name, and the parts that each of them may offer.

A feature offers a part by having a module of that name; whoever puts features together asks for it
here and knows none of them: deleting a feature's folder and its name deletes the feature.

===============  ==========================================================================
``views``        ``blueprint``: its pages
``api``          ``BLUEPRINTS``: its part of the HTTP API
``home_cards``   ``cards(session, actor, now)``: see :mod:`portal.core.home_cards`
``work``         ``SOURCES``, ``CONSEQUENCES``: see :mod:`portal.core.work`
``live``         ``PROBES``: see :mod:`portal.core.live`
``waiting``      ``COUNTS``: see :mod:`portal.web.navigation`
``settings``     ``SETTINGS``: see :mod:`portal.regions.settings`
``moving``       ``blockers`` and ``follow``: see :mod:`portal.regions.belongings`
``search``       ``find(session, actor, query)``: see :mod:`portal.core.search`
``at_home``      ``section(session, actor, place, now)``: see :mod:`portal.core.dwelling_page`
``on_person``    ``section(session, actor, person, now)``: see :mod:`portal.core.person_page`
``for_me``       ``links(session, actor, now)``: see :mod:`portal.core.person_page`
===============  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

FEATURES: Final = (
    "accounts",
    "regions",
    "dwellings",
    "residents",
    "passes",
    "visitors",
    "vehicles",
    "access",
    "scanning",
    "telecare",
    "parcels",
    "devices",
    "notices",
    "finding",
    "workbench",
)


def parts(name: str) -> Iterator[ModuleType]:
    """The modules of that name, of every feature that has one, in the order of the features."""
    for feature in FEATURES:
        if find_spec(f"portal.{feature}.{name}") is not None:
            yield import_module(f"portal.{feature}.{name}")
