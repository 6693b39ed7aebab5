"""Points Desk: may this customer pay with her points, now, with or without a line?"""

__version__ = "0.1.0"
