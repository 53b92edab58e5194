"""The forms that the offices and schools sign and seal on paper, as PDF."""
