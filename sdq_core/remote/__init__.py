"""Cohorts in object stores and archives: brought into a local folder before anything reads them."""
