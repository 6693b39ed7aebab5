"""The words of loyalty and which moves are legal."""
