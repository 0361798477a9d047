"""One module a file format; each opens a recording lazily."""
