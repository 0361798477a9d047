"""The signals wing: ECG, EEG, PPG and their kin."""
