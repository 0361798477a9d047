"""Calibration: whether the instrument sees what it should, on the user's own real data.

A fresh part of the real data stands in for a perfect generator (what fails there is a false alarm);
then each defect of the modality's catalogue is planted in it, at each severity.
"""
