"""Buildings, units and dwellings are found in their own community only."""

from __future__ import annotations

from portal.regions import queries
from tests.portal.cast import OTHER_USCC, Town


def test_dwellings_are_found_in_their_own_community_only(town: Town) -> None:
    here, there = town.ids["community"], town.ids["other"]
    with town.db.read() as session:
        assert [b.name for b in queries.buildings(session, here)] == ["1号楼", "2号楼"]
        unit = town.ids["community:unit"]
        assert [d.number for d in queries.dwellings(session, here, unit)] == [
            "101",
            "102",
            "201",
            "202",
        ]
        assert queries.units(session, there, town.ids["community:building"]) == []
        assert queries.dwellings(session, there, unit) == []
        assert queries.dwelling(session, there, town.ids["community:dwelling"]) is None
        own = queries.dwelling(session, here, town.ids["community:dwelling"])
        assert own is not None
        assert own.label == "1号楼 1单元 101"
        found = queries.community_by_uscc(session, OTHER_USCC)
        assert found is not None
        assert found.id == there
