"""The blinded manual review: experts judge items without knowing which are real.

A study goes from `plan` (what is asked of how many, frozen before the first reading) over `opening`
(cases drawn, key sealed) and `server` (pages for readers) to `closing` (the key revealed and
checked) and `analysis` (measurements in the result). Everything that happens is in the log of
`store`, each entry bound to the one before.
"""
