"""Files in, rows with issues out. No database and no Flask; one reader for check, preview and worker."""
