"""Devices: registry, events, commands, telemetry charts."""
