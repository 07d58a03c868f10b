"""Everything that speaks MQTT without knowing the portal."""
