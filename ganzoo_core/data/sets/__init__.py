"""The core's own data sets, one module each. It imports data's views."""
