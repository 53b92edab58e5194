"""The rules, pure: standard library only, no clock; the day they are judged for is an argument."""
