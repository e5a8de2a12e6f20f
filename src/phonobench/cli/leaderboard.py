"""`phonobench leaderboard`: the table of all stored results, beside the source experiments' rows."""


def print_leaderboard() -> None:
    """TODO."""


def render(): ...
