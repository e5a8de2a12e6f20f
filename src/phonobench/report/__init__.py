"""Reports: the leaderboard and what stands in it that others published. Everything is read from result files."""
