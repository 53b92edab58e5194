"""What offices set: policies, extra windows, working days; and everybody's notices."""
