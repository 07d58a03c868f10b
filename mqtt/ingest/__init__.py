"""MQTT to the telemetry store, nothing lost."""
