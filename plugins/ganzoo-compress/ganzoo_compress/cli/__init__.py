"""The verbs that ganzoo-compress adds."""
