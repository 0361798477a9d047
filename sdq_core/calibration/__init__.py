"""Calibration: whether the instrument sees what it should, on the user's own real data.

A fresh part of the real data stands in for a perfect generator (what fails there is a false alarm);
then each defect of the modality's catalogue is planted in it, at each severity.

`dealing` deals the real items out, `recording` carries one case out, `running` all of them,
`summary` and `unseen` say what came of it, `applying` holds a calibration against a study. See
``docs/calibration.md``.
"""
