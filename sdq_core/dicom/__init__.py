"""What all DICOM objects share: elements, values, identifiers, declarations of synthesis."""
