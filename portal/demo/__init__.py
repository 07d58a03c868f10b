"""The demo community: invented places, people and devices, the same every time but for the secrets."""
