"""Images and volumes: DICOM, NIfTI, pictures and array stacks."""
