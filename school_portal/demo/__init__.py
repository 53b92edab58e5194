"""A demonstration on invented data, made relative to the day on which it is first run."""
