"""Files to rows, and everything that is wrong with them."""
