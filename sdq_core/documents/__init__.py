"""Step 5, document: everything a person reads, rendered from the one result. Computes nothing."""
