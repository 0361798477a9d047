"""The planter of signals: writes recordings anew, as they are or with a planted defect."""
