"""Telemetry stores behind one small interface."""
