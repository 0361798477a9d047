"""Embeddings that need no weights file: name, version and hash stand beside every number."""
