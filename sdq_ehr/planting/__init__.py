"""Writes parts of real health records as cohorts, as they are or with a planted defect."""
