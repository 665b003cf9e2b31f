"""How Lambda reaches us: a wrapper for each kind of function, and the map of its errors."""
