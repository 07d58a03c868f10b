"""Virtual devices that speak the contract."""
