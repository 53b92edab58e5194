"""The appraisal centre: accounts and permissions."""
