"""Parcels: lockers and their compartments, couriers, the oversize shelf, meals at the gate (G7)."""
