"""Values: frozen, made of the standard library and attrs only."""
