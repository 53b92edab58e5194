"""The receiving offices and the centre at specialty evaluations."""
