"""Topics and payloads, described once."""
