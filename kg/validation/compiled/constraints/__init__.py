"""The constraint components of the core language, a module for each family of the standard."""
