"""Simulated platforms: worlds of honest staff, labelled attacks, logs as real systems write them."""
