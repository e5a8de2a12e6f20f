"""A `Score` in the shapes that others read: Azure's JSON, Praat's TextGrid, one HTML page, coloured text."""
