"""Several processes replay the same credentials at one store, while something breaks it."""
