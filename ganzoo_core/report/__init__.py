"""A run directory as one page of HTML that needs nothing but itself. It imports errors only: no torch."""
