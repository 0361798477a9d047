"""Embeddings that need no weights file: name, version and hash stand beside every number."""

from sdq_imaging.embeddings.registry import EMBEDDERS, Embedder, embedder

__all__ = ["EMBEDDERS", "Embedder", "embedder"]
