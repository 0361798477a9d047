"""Defects planted in the user's own images: the catalogue, and the writers of every format.

An item is opened (`opening`), changed and declared synthetic, and written in its own format, so
that a cohort with a defect differs from a clean one by the defect alone.
"""
