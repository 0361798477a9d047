"""What is computed from samples: pure functions over batches of recordings."""
