"""Set-up, deployment and measurement; imported by nobody."""
