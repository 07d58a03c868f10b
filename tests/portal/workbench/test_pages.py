"""smoke"""

from tests.portal.village import People
from tests.portal.world import World


def test_smoke(world: World, people: People) -> None:
    for who in ("worker", "manager", "supervisor", "gatekeeper", "audit_admin"):
        c = people.client(who)
        a = c.get("/work")
        assert a.status_code == 200, a.text
        print(who, a.text[-3000:] if who == "worker" else len(a.text))
    c = people.client("worker")
    a = c.get("/work/items/residents.registration/%d" % world.residents["pending"])
    assert a.status_code == 200
    print(a.text)
    a = c.get("/work/list")
    assert a.status_code == 200
    print(a.text)
