"""Named features of one slice; each module gives a mapping of name to value."""
