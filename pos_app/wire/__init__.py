"""Turns commands and answers into the v1.1 contract's JSON and XML, and back."""
