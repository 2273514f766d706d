"""`ganzoo latent`: one module for each verb."""
