"""Operators, their PINs and tokens, approvals by a second person, and the keys of tills."""
