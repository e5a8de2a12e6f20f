"""The generator of the embedded synthetic corpus: prompts, speakers, errors, espeak-ng, simulated raters, files."""
