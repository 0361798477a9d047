"""Format rules: every violation of a header, with its field and the source of the rule."""
