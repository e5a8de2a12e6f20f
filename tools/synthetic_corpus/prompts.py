"""What the synthetic speakers read: a small lexicon that covers the 39 phones, and sentences from templates.

Pronunciations carry stress digits as in SpeechOcean762: 0 in a word of one syllable, else 1 (stressed) and 0.
"""

from __future__ import annotations

import random
from collections import Counter

VOWELS = frozenset({"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"})

DETERMINERS = {
    "THE": "DH AH0", "MY": "M AY0", "HIS": "HH IH0 Z", "HER": "HH ER0", "THIS": "DH IH0 S", "OUR": "AW0 ER0",
}  # fmt: skip
ADJECTIVES = {
    "RED": "R EH0 D", "BIG": "B IH0 G", "THIN": "TH IH0 N", "YOUNG": "Y AH0 NG", "WRONG": "R AO0 NG",
    "SMALL": "S M AO0 L", "GOOD": "G UH0 D", "WHITE": "W AY0 T", "NOISY": "N OY1 Z IY0", "LARGE": "L AA0 R JH",
    "BROWN": "B R AW0 N", "CHEAP": "CH IY0 P", "BLUE": "B L UW0", "COLD": "K OW0 L D", "YELLOW": "Y EH1 L OW0",
}  # fmt: skip
PEOPLE = {
    "BOY": "B OY0", "GIRL": "G ER0 L", "BROTHER": "B R AH1 DH ER0", "TEACHER": "T IY1 CH ER0",
    "DOCTOR": "D AA1 K T ER0", "KING": "K IH0 NG", "JUDGE": "JH AH0 JH", "COOK": "K UH0 K", "FATHER": "F AA1 DH ER0",
    "DOG": "D AO0 G", "COW": "K AW0", "HORSE": "HH AO0 R S", "BIRD": "B ER0 D",
}  # fmt: skip
THINGS = {
    "FISH": "F IH0 SH", "BOOK": "B UH0 K", "SHIP": "SH IH0 P", "VAN": "V AE0 N", "COAT": "K OW0 T", "ROSE": "R OW0 Z",
    "VOICE": "V OY0 S", "TELEVISION": "T EH1 L AH0 V IH0 ZH AH0 N", "TREASURE": "T R EH1 ZH ER0", "CHAIR": "CH EH0 R",
    "HOUSE": "HH AW0 S", "TOY": "T OY0", "GARAGE": "G ER0 AA1 ZH", "THUMB": "TH AH0 M", "MOUTH": "M AW0 TH",
    "CHEESE": "CH IY0 Z", "JAR": "JH AA0 R", "YARD": "Y AA0 R D", "CAKE": "K EY0 K", "MAP": "M AE0 P",
    "VISION": "V IH1 ZH AH0 N", "SHOE": "SH UW0",
}  # fmt: skip
VERBS = {
    "SEES": "S IY0 Z", "LOVES": "L AH0 V Z", "HAS": "HH AE0 Z", "FINDS": "F AY0 N D Z", "ENJOYS": "IH0 N JH OY1 Z",
    "MEASURES": "M EH1 ZH ER0 Z", "USES": "Y UW1 Z IH0 Z", "SHOWS": "SH OW0 Z", "TOOK": "T UH0 K",
    "WANTS": "W AA0 N T S", "WATCHES": "W AA1 CH IH0 Z",
}  # fmt: skip
PLAIN_VERBS = {
    "SEE": "S IY0", "LOVE": "L AH0 V", "LIKE": "L AY0 K", "MEASURE": "M EH1 ZH ER0", "ENJOY": "IH0 N JH OY1",
    "CHOOSE": "CH UW0 Z", "TAKE": "T EY0 K", "SHARE": "SH EH0 R",
}  # fmt: skip
PRONOUNS = {"WE": "W IY0", "THEY": "DH EY0", "YOU": "Y UW0", "I": "AY0"}
TIMES = {"NOW": "N AW0", "TODAY": "T AH0 D EY1", "HERE": "HH IH0 R", "AGAIN": "AH0 G EH1 N"}
NUMBERS = {
    "ZERO": "Z IH1 R OW0", "ONE": "W AH0 N", "TWO": "T UW0", "THREE": "TH R IY0", "FOUR": "F AO0 R",
    "FIVE": "F AY0 V", "SIX": "S IH0 K S", "SEVEN": "S EH1 V AH0 N", "EIGHT": "EY0 T", "NINE": "N AY0 N",
}  # fmt: skip
OTHERS = {"IS": "IH0 Z", "USUALLY": "Y UW1 ZH AH0 W AH0 L IY0", "WITH": "W IH0 DH", "IN": "IH0 N"}

LEXICON: dict[str, tuple[str, ...]] = {
    word: tuple(phones.split())
    for words in (
        DETERMINERS, ADJECTIVES, PEOPLE, THINGS, VERBS, PLAIN_VERBS, PRONOUNS, TIMES, NUMBERS, OTHERS
    )
    for word, phones in words.items()
}  # fmt: skip
UNSTRESSED = frozenset(DETERMINERS) | {"IS", "WITH", "IN", "HAS"}
"""Words that are spoken without stress."""

_KINDS = {
    "d": DETERMINERS, "a": ADJECTIVES, "p": PEOPLE, "t": THINGS, "v": VERBS, "l": PLAIN_VERBS, "w": PRONOUNS,
    "n": TIMES, "#": NUMBERS,
}  # fmt: skip
_TEMPLATES = (
    "d p v d t", "d a p v d t", "d p v d a t", "d t IS a", "d p IS IN d t", "w l d t", "w USUALLY l d t", "w l d a t n",
    "d p v d t WITH d t", "d t IS IN d t", "# # # #", "# # t IS a", "w l d p n", "d a t IS IN d t",
)  # fmt: skip


def sentences(count: int, seed: str, known: frozenset[str] = frozenset()) -> list[str]:
    """`count` different sentences, none in `known`, chosen so that rare phones become as frequent as can be.

    Greedy: of 60 random candidates the one whose phones have the largest mean of 1 / (times seen so far).
    """
    source = random.Random(f"phonobench synthetic sentences {seed}")
    chosen: list[str] = []
    seen: Counter[str] = Counter()
    while len(chosen) < count:
        candidates = [_sentence(source) for _ in range(60)]
        fresh = [s for s in candidates if s not in known and s not in chosen and len(set(s.split())) == len(s.split())]
        if not fresh:
            continue
        best = max(fresh, key=lambda sentence: _rarity(sentence, seen))
        chosen.append(best)
        seen.update(_phones(best))
    return chosen


def _sentence(source: random.Random) -> str:
    template = source.choice(_TEMPLATES)
    return " ".join(source.choice(list(_KINDS[slot])) if slot in _KINDS else slot for slot in template.split())


def _phones(sentence: str) -> list[str]:
    return [phone.rstrip("012") for word in sentence.split() for phone in LEXICON[word]]


def _rarity(sentence: str, seen: Counter[str]) -> float:
    phones = _phones(sentence)
    # Added one by one: from Python 3.12 on, `sum` rounds floats otherwise, and near ties between sentences then turn.
    total = 0.0
    for phone in phones:
        total += 1 / (1 + seen[phone])
    return total / len(phones)
