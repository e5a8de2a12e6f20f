"""The trained scorer without torch: features of the acoustic output, the fitted networks, calibration."""
