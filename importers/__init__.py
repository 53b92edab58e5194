"""Files in, rows with issues out; one reader for check, preview and worker."""
