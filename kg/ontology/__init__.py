"""The terms: unit table, term lock, vocabulary, context, and the check that they hold together."""
