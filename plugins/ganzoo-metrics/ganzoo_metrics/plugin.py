"""What ganzoo-metrics contributes. Imports no torch."""
