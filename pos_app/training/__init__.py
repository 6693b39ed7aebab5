"""Scenarios, a simulated phone, a line that can fail, and the panels that show them."""
