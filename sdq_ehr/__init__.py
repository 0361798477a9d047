"""Health records: tables, coded values and their order in time, natively."""
