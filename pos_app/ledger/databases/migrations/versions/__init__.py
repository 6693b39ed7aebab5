"""One file a step; a step is never changed once a version of the program with it was given away."""
