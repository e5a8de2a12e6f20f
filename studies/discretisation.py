"""What discretisation costs: the same frozen encoder's frames continuous and as codes, under the same head.

    python studies/discretisation.py whisper-base [--books 1 2 4 8]

Codes are those of residual k-means over train speakers' frames, 1,024 a book. Two heads: a linear one, on the vectors
that the codes stand for (only the frames differ), and two Transformer layers, on embedded codes against projected
states (as SpeechTokenizer's two stages are trained). Every variant is told with its paired difference from the
continuous frames.
"""

from __future__ import annotations

from study import Study, options, planned


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--books", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--head", choices=("linear", "transformer"), nargs="+", default=["linear", "transformer"])
    given = parser.parse_args()
    study = Study("discretisation", given)
    pairs = []
    for head in given.head:
        preset = {"linear": "probe", "transformer": "tokens"}[head]
        study.measure(f"continuous, {head}", given.system, planned(preset, given.epochs))
        for books in given.books:
            plan = planned(preset, given.epochs, codebooks=books)
            study.measure(f"{books} x 1024 codes, {head}", "quantised", plan, members=[given.system])
            pairs.append((f"{books} x 1024 codes, {head}", f"continuous, {head}"))
    study.write("Discretisation", "What do codes in place of frames cost?", {}, study.gaps(pairs))


if __name__ == "__main__":
    main()
