"""Raman spectra for sdq: an example of a modality plugin."""
