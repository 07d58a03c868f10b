"""Thermometer, locker, button."""

from pathlib import Path

import pytest

from mqtt.contract.telemetry import DeviceKind
from mqtt.simulator.alarm_button import CANCEL_SECONDS
from tests.mqtt.simulator.machines import (
    NOW,
    command,
    events,
    machine,
    results,
    run,
    seconds,
    states,
)


def test_a_reading_counts_as_over_from_the_threshold_set_by_command() -> None:
    thermometer = machine(DeviceKind.THERMOMETER)
    assert events(thermometer.measure(NOW, temperature=37.2)[1])[0]["over_threshold"] is False
    assert events(thermometer.measure(NOW, temperature=37.3)[1])[0]["over_threshold"] is True
    payload = command("set_threshold", body_temperature=38.0)
    assert results(thermometer.on_command("set_threshold", payload, NOW)) == [(True, "")]
    _, said = thermometer.measure(NOW, temperature=37.9, scan="event-of-scan")
    reading = events(said)[0]
    assert (reading["over_threshold"], reading["scan"]) == (False, "event-of-scan")
    assert states(said, "sensor/body_temperature") == ["37.9"]


def test_a_thermometer_reports_no_body_temperature_before_its_first_person() -> None:
    said = run(machine(DeviceKind.THERMOMETER), NOW, 300)
    assert states(said, "sensor/body_temperature") == []
    assert states(said, "sensor/ambient_temperature")


def test_a_compartment_opens_takes_a_parcel_and_closes() -> None:
    locker = machine(DeviceKind.PARCEL_LOCKER)
    locker.jam_share = 0.0
    number = next(n for n, door in locker.doors.items() if not door.occupied)
    before = locker.occupied
    said = locker.on_command(
        "open_compartment", command("open_compartment", compartment=number), NOW
    )
    assert results(said) == [(True, "")]
    later = run(locker, NOW, 10)
    moved = {e["id"]: (e["state"], e["occupied"], e["compartment"]) for e in events(later)}
    assert list(moved.values()) == [("opened", False, number), ("closed", True, number)]
    assert locker.occupied == before + 1
    assert states(later, "sensor/free") == [str(16 - before - 1)]
    assert states(later, "binary_sensor/door_open")[:2] == ["ON", "OFF"]


def test_a_parcel_is_taken_out_of_an_occupied_compartment() -> None:
    locker = machine(DeviceKind.PARCEL_LOCKER)
    locker.jam_share = 0.0
    number = next(n for n, door in locker.doors.items() if door.occupied)
    locker.on_command("open_compartment", command("open_compartment", compartment=number), NOW)
    run(locker, NOW, 10)
    assert not locker.doors[number].occupied


def test_a_jammed_compartment_says_so() -> None:
    locker = machine(DeviceKind.PARCEL_LOCKER)
    locker.jam_share = 1.0
    said = locker.on_command("open_compartment", command("open_compartment", compartment=1), NOW)
    assert results(said) == [(False, "jammed")]
    assert [e["state"] for e in events(said)] == ["jammed"]
    assert not locker.doors[1].open


def test_there_is_no_compartment_beyond_the_last() -> None:
    locker = machine(DeviceKind.PARCEL_LOCKER)
    said = locker.on_command("open_compartment", command("open_compartment", compartment=17), NOW)
    assert results(said) == [(False, "no_such_compartment")]


def test_a_compartment_closed_by_hand_does_not_close_again() -> None:
    locker = machine(DeviceKind.PARCEL_LOCKER)
    locker.jam_share = 0.0
    locker.on_command("open_compartment", command("open_compartment", compartment=3), NOW)
    run(locker, NOW, 1)
    assert [e["state"] for e in events(locker.close(3, True, NOW + seconds(1)))] == ["closed"]
    ids = {e["id"] for e in events(run(locker, NOW + seconds(1), 30)) if e["state"] == "closed"}
    assert len(ids) == 1
    assert locker.doors[3].occupied


def test_a_power_cut_stops_what_was_about_to_move_and_reports_every_compartment() -> None:
    locker = machine(DeviceKind.PARCEL_LOCKER)
    locker.jam_share = 0.0
    full = locker.occupied
    locker.on_command("open_compartment", command("open_compartment", compartment=3), NOW)
    said = events(locker.power_cut(NOW), "compartment")
    assert [e["compartment"] for e in said] == list(range(1, 17))
    assert all("transaction" not in e or e["transaction"] is None for e in said)
    assert {e["state"] for e in said} == {"closed"}
    assert sum(e["occupied"] for e in said) == full
    later = events(run(locker, NOW, 30), "compartment")
    assert {e["id"] for e in later} <= {e["id"] for e in said}


def test_a_locker_keeps_its_doors_over_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "locker.doors.json"
    locker = machine(DeviceKind.PARCEL_LOCKER, state_file=file)
    locker.jam_share = 0.0
    locker.on_command("open_compartment", command("open_compartment", compartment=3), NOW)
    run(locker, NOW, 1)
    kept = [(door.occupied, door.open) for door in locker.doors.values()]
    again = machine(DeviceKind.PARCEL_LOCKER, online=False, state_file=file)
    assert [(door.occupied, door.open) for door in again.doors.values()] == kept
    said = {e["compartment"]: e for e in events(again.on_connected(NOW), "compartment")}
    assert len(said) == 16
    assert said[3]["state"] == "opened"
    assert events(again.on_connected(NOW), "boot")


def test_a_broken_file_of_doors_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "locker.doors.json"
    file.write_text("{")
    assert len(machine(DeviceKind.PARCEL_LOCKER, state_file=file).doors) == 16


def test_a_compartment_pried_open_says_so_without_a_transaction() -> None:
    locker = machine(DeviceKind.PARCEL_LOCKER)
    [said] = events(locker.pry(2, NOW), "compartment")
    assert (said["state"], said.get("transaction")) == ("opened", None)
    assert locker.pry(2, NOW) == []


def test_presses_in_a_row_are_counted_and_shown_for_a_moment() -> None:
    button = machine(DeviceKind.ALARM_BUTTON)
    first = button.press(NOW)
    second = button.press(NOW + seconds(1))
    assert [events(said)[0]["presses"] for said in (first, second)] == [1, 2]
    assert states(first, "binary_sensor/pressed") == ["ON"]
    assert states(run(button, NOW + seconds(1), 4), "binary_sensor/pressed")[-1] == "OFF"


def test_an_alarm_can_be_cancelled_within_its_window_only() -> None:
    button = machine(DeviceKind.ALARM_BUTTON)
    assert button.cancel(NOW) == []
    button.press(NOW)
    assert [e["action"] for e in events(button.cancel(NOW + seconds(CANCEL_SECONDS)))] == [
        "cancelled"
    ]
    button.press(NOW)
    assert button.cancel(NOW + seconds(CANCEL_SECONDS + 0.1)) == []


def test_the_wearer_sees_what_became_of_the_alarm() -> None:
    button = machine(DeviceKind.ALARM_BUTTON)
    button.press(NOW)
    for number, state in enumerate(("received", "acknowledged", "closed")):
        payload = command(
            "alarm_feedback",
            transaction=f"transaction-{number}",
            event=button.last_alarm,
            state=state,
        )
        assert results(button.on_command("alarm_feedback", payload, NOW)) == [(True, "")]
        assert button.feedback == state
    other = command("alarm_feedback", transaction="other-one", event="some-alarm", state="closed")
    assert results(button.on_command("alarm_feedback", other, NOW)) == [(False, "unknown_alarm")]


def test_a_battery_only_goes_down() -> None:
    button = machine(DeviceKind.ALARM_BUTTON)
    told = [float(text) for text in states(run(button, NOW, 86_400 * 3), "sensor/battery")]
    assert told == sorted(told, reverse=True)
    assert 0.5 < told[0] - told[-1] < 1.0


@pytest.mark.parametrize("kind", list(DeviceKind))
def test_the_view_holds_nothing_secret(kind: DeviceKind) -> None:
    assert "password" not in str(machine(kind).view())
