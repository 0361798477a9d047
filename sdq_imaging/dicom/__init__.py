"""The DICOM rules, one idea a module; `sdq_imaging.dicom_rules` is the way in."""
