"""RelGAN: a relational memory that writes soft words, and many readers of each line."""
