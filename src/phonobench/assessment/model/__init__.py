"""The trained scorer without torch: features of what was heard, the fitted networks, calibration."""
