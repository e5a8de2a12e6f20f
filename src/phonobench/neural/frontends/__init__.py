"""From waves to what an encoder takes: mel spectrograms and filterbanks."""
