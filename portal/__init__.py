"""The portal: web pages, API and worker of a residential community."""
