"""Pictures of the running portal for the README: `python -m provisioning.screens`."""
