"""Which layer of a frozen encoder transcribes best, and which detects best: a linear probe a layer.

    python studies/layers.py whisper-tiny.en

The states of all layers are computed once and shared by all probes. Beside them a probe over all layers with learned
softmax weights, which are reported. The best layer is chosen on dev, for PER (HQ) and for the phone AUC apart; test
then tells, paired, whether these two layers differ from each other and from the last one. Layer 0 is the input of the
first layer. Continues where it was killed, but computes states again.
"""

from __future__ import annotations

from study import Study, options, planned

from phonobench import store
from phonobench.systems import cards


def main() -> None:
    given = options(__doc__).parse_args()
    study = Study("layers", given)
    shared_states: dict = {}
    layers = [f"layer {k}" for k in range(cards.find(given.system).layers + 1)]
    for k, label in enumerate(layers):
        study.measure(
            label, given.system, planned("probe", given.epochs, layers=f"only:{k}"), shared_states=shared_states
        )
    weighted = study.measure(
        "weighted", given.system, planned("weighted-probe", given.epochs), shared_states=shared_states
    )
    chosen = {
        "transcribes": study.best("per_hq", layers, high=False),
        "detects": study.best("phone_auc", layers, high=True),
        "last": layers[-1],
    }
    pairs = [("detects", "transcribes"), ("transcribes", "last"), ("detects", "last")]
    named = [(chosen[a], chosen[b]) for a, b in pairs if chosen[a] != chosen[b]]
    named.append(("weighted", layers[-1]))
    facts = {"chosen_on_dev": chosen, "layer_weights": store.read_run(weighted)["layer_weights"]}
    question = "Which layer transcribes best, which detects best, and do the two differ?"
    study.write("A probe a layer", question, facts, study.gaps(list(dict.fromkeys(named))))


if __name__ == "__main__":
    main()
