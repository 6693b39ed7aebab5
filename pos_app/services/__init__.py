"""What a cashier can do, and what it needs from outside (ports)."""
