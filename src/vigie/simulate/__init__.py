"""Simulated platforms: worlds of honest staff, labelled attacks, logs as systems write them."""
