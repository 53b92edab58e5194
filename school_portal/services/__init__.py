"""Use cases: take a session and an actor, guard, change, record; never commit, know no request."""
