"""Games for ganzoo that differ from DCGAN's in a loss or a penalty."""
