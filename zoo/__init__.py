"""The zoo that trains itself: zoo.toml says what should ship, and this trains, measures and shows it. Not installed."""
