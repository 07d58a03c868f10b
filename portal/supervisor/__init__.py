"""``linli up``: broker, ingest, worker, web and virtual devices as children of one process.

Pure process management: what the processes do is theirs. :func:`portal.supervisor.run.run` puts the
parts together.
"""
