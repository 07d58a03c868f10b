"""Whatever couriers, residents, doors, power and clocks do, in any order: no parcel is lost, none is doubled.

Each example runs a whole little history against a model of the locker that may lose its answers, jam, be
without power, and repeat events out of order.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mqtt.contract.messages import CompartmentMoved, OpenCompartment
from portal.core.crypto.envelope import KeyRing
from portal.core.db import Database
from portal.core.errors import DomainError
from portal.parcels import fetching, storing
from portal.parcels.models import (
    ENDED,
    Compartment,
    CompartmentState,
    Opening,
    Parcel,
    ParcelState,
    Place,
    Taker,
)
from portal.parcels.times import CLOSE_WITHIN, OPEN_WITHIN, RESERVATION
from tests.portal.parcels.lockers import Locker, set_up
from tests.portal.world import Ticking, World, install

P = ParcelState
USUAL = ("store", "act", "put_and_close", "fetch", "act", "take_and_close")
"""What mostly happens, and in this order; the rest gets in its way."""
RARE = (
    "again",
    "another",
    "cancel",
    "take_back",
    "ignore",
    "jam",
    "close",
    "repeat",
    "power_cut",
    "seconds",
    "minutes",
    "long",
)
STEPS = (*USUAL * 4, *RARE)


@dataclass
class Box:
    """What a compartment really is."""

    open: bool = False
    full: bool = False
    transaction: str | None = None


@dataclass
class Story:
    """A locker that does not always do as it is told, and people before it."""

    locker: Locker
    rng: random.Random
    boxes: dict[int, Box] = field(default_factory=lambda: {n: Box() for n in range(1, 5)})
    done: set[str] = field(default_factory=set)
    lost: list[CompartmentMoved] = field(default_factory=list)

    def step(self, name: str) -> None:
        action: Callable[[], None] = getattr(self, name)
        with suppress(DomainError):  # a rule says no, and nothing has changed
            action()
        self.check()

    # --- people ---

    def parcels(self, *states: P) -> list[Parcel]:
        with self.locker.db.read() as session:
            return list(session.scalars(select(Parcel).where(Parcel.state.in_(states))))

    def store(self) -> None:
        self.locker.store(size=self.rng.choice("SSML"), larger=self.rng.random() < 0.5)

    def _each(self, act: Callable[..., object], *states: P) -> None:
        rows = self.parcels(*states)
        if rows:
            with self.locker.db.write() as session:
                act(session, self.locker.courier, self.rng.choice(rows).id, self.locker.clock())

    def again(self) -> None:
        self._each(storing.open_again, P.RESERVED)

    def another(self) -> None:
        self._each(storing.another, P.RESERVED)

    def cancel(self) -> None:
        self._each(storing.cancel, *P)

    def take_back(self) -> None:
        self._each(storing.take_back, *P)

    def fetch(self) -> None:
        rows = self.parcels(P.STORED, P.TAKING)
        if rows:
            resident = self.locker.world.resident("resident")
            with self.locker.db.write() as session:
                fetching.open_own(session, resident, self.rng.choice(rows).id, self.locker.clock())

    # --- the locker ---

    def _next(self) -> OpenCompartment | None:
        waiting = [c for c in self.locker.commands() if c.transaction not in self.done]
        if not waiting:
            return None
        self.done.add(waiting[0].transaction)
        return waiting[0]

    def act(self) -> None:
        while (command := self._next()) is not None:
            self._carry_out(command)

    def _carry_out(self, command: OpenCompartment) -> None:
        if command.expires_at <= self.locker.clock():
            self.locker.answers(command.transaction, ok=False, reason="expired")
            return
        box = self.boxes[command.compartment]
        if box.open:
            self.locker.answers(command.transaction, ok=True, reason="already_open")
            return
        box.open, box.transaction = True, command.transaction
        self._says("opened", command.compartment)

    def ignore(self) -> None:
        self._next()

    def jam(self) -> None:
        command = self._next()
        if command is not None and not self.boxes[command.compartment].open:
            self.locker.says(self.locker.moved("jammed", command.compartment, command.transaction))

    def _says(self, state: str, number: int, *, named: bool = True) -> None:
        box = self.boxes[number]
        event = self.locker.moved(state, number, box.transaction if named else None, box.full)
        if self.rng.random() < 0.9:
            self.locker.says(event)
        else:
            self.lost.append(event)

    def _close(self, full: Callable[[Box], bool], wanted: Callable[[Box], bool]) -> None:
        numbers = [n for n, box in self.boxes.items() if box.open and wanted(box)]
        if not numbers:
            return
        number = self.rng.choice(numbers)
        box = self.boxes[number]
        box.full, box.open = full(box), False
        self._says("closed", number, named=self.rng.random() < 0.7)

    def put_and_close(self) -> None:
        self._close(lambda _: True, lambda box: not box.full)

    def take_and_close(self) -> None:
        self._close(lambda _: False, lambda box: box.full)

    def close(self) -> None:
        self._close(lambda box: box.full, lambda _: True)

    def repeat(self) -> None:
        """What was lost on the way comes late; what has come, comes again."""
        again = [*self.lost, *self.rng.sample(self.locker.sent, min(3, len(self.locker.sent)))]
        self.lost.clear()
        self.rng.shuffle(again)
        self.locker.says(*again)

    def power_cut(self) -> None:
        for number, box in self.boxes.items():
            self.locker.says(
                self.locker.moved("opened" if box.open else "closed", number, None, box.full)
            )

    # --- the clock ---

    def seconds(self) -> None:
        self.locker.wait(OPEN_WITHIN)

    def minutes(self) -> None:
        self.locker.wait(CLOSE_WITHIN)

    def long(self) -> None:
        self.locker.wait(RESERVATION + timedelta(seconds=1))

    # --- what must hold ---

    def check(self) -> None:
        with self.locker.db.read() as session:
            parcels = session.scalars(select(Parcel)).all()
            compartments = {c.id: c for c in session.scalars(select(Compartment))}
            openings = {o.transaction: o for o in session.scalars(select(Opening))}
        held: dict[int, int] = {}
        for parcel in parcels:
            if parcel.state in ENDED:
                assert parcel.compartment_id is None
                continue
            if parcel.compartment_id is not None:
                assert parcel.compartment_id not in held, "two parcels in one compartment"
                held[parcel.compartment_id] = parcel.id
            self._check_one(parcel, compartments, openings)
        for compartment in compartments.values():
            used = compartment.state in (CompartmentState.RESERVED, CompartmentState.OCCUPIED)
            assert used == (compartment.id in held)

    @staticmethod
    def _check_one(
        parcel: Parcel, compartments: dict[int, Compartment], openings: dict[str, Opening]
    ) -> None:
        mine = [o for o in openings.values() if o.parcel_id == parcel.id]
        if parcel.state in (P.STORED, P.UNLOCKING, P.TAKING):
            assert parcel.place == Place.LOCKER
            assert parcel.compartment_id is not None
            assert compartments[parcel.compartment_id].state == CompartmentState.OCCUPIED
            assert any(o.closed_at and o.opened_at and o.occupied is not False for o in mine)
        elif parcel.compartment_id is not None:
            assert compartments[parcel.compartment_id].state == CompartmentState.RESERVED
        if parcel.state in (P.RESERVED, P.OPENING, P.UNLOCKING):
            assert parcel.deadline is not None, "nothing would ever come of it"
        if parcel.state in (P.OPENING, P.OPEN, P.UNLOCKING, P.TAKING):
            assert parcel.opening in openings

    def settle(self) -> None:
        """All doors close, all news arrives, time passes: everything has found its end or lies stored."""
        for _ in range(3):
            while self._next() is not None:
                pass
            for number, box in self.boxes.items():
                if box.open:
                    box.open = False
                    self.locker.says(self.locker.moved("closed", number, None, box.full))
            self.repeat()
            self.long()
        assert {p.state for p in self.parcels(*P)} <= {P.STORED, *ENDED}
        for parcel in self.parcels(P.FETCHED, P.RETURNED):
            assert parcel.taker != Taker.NOBODY
            with self.locker.db.read() as session:
                last = session.scalars(
                    select(Opening).where(Opening.transaction == parcel.opening)
                ).one()
            assert last.occupied is not True


@given(
    steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=24),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=25, deadline=None)
def test_no_story_loses_or_doubles_a_parcel(
    laid_out: tuple[Path, World, KeyRing], steps: list[str], seed: int
) -> None:
    install(laid_out[2])
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(laid_out[0], Path(folder) / "linli.db")
        database = Database(f"sqlite:///{folder}/linli.db")
        try:
            story = Story(
                set_up(replace(laid_out[1], db=database, clock=Ticking())), random.Random(seed)
            )
            for step in [step for pair in zip(cycle(USUAL), steps, strict=False) for step in pair]:
                story.step(step)
            story.settle()
        finally:
            database.close()
