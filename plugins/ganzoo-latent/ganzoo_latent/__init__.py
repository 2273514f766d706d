"""Inside the latent space of any generator: walking, arithmetic, projection, editing, directions, dissection."""
