"""What `tools/fuzz.py` is made of: a small set of real files, changes to them, doors that read them, and workers."""
