"""A trained recogniser as an ONNX file: what runs where there is no torch.

One utterance at a time: `mel` (1, bands, 2 S) in, `logp` (1, S, 40) and `states` (1, S, D) of one layer out, S free.
Weights of matrix products are stored in int8, each row with a scale of its own; activations stay in float32, so that
what is lost is lost once and can be measured.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from phonobench import store
from phonobench.neural.assessment import score_head
from phonobench.neural.assessment.network import OUTPUTS, Ensemble
from phonobench.neural.checkpoints import trained
from phonobench.neural.encoders import MelEncoder
from phonobench.neural.frontends.features import Features
from phonobench.neural.recogniser import Recogniser
from phonobench.types import PhonobenchError


class ExportableRecogniser(nn.Module):
    """A recogniser of log-mels that needs no lengths, because there is one utterance."""

    def __init__(self, model: Recogniser, layers: Sequence[int]) -> None:
        super().__init__()
        self.model, self.layers = model, tuple(layers) or (-1,)

    def forward(self, mel: Tensor) -> tuple[Tensor, ...]:
        """Log-posteriors (1, S, 40), the states (1, S, D) of the chosen layers, side by side, and, of a recogniser
        with a score head, those that the head reads."""
        frames = mel.shape[-1] // 2
        lengths = torch.full((1,), frames, dtype=torch.long)
        layers = self.model.encoder(Features(mel, lengths, lengths * 320))
        states = torch.cat([layers[layer] for layer in self.layers], -1)
        head_states = [layers[score_head.LAYER]] if self.model.judge is not None else []
        return self.model.classify(self.model.select_layers(layers), lengths), states, *head_states


def exportable(run_dir: Path, layers: Sequence[int]) -> ExportableRecogniser:
    """The recogniser of a run, ready to be exported. Raises PhonobenchError for one that does not read log-mels."""
    model = trained.load(run_dir).cpu()
    if not isinstance(model.encoder, MelEncoder) or model.encoder.window:
        raise PhonobenchError(
            f"{run_dir.name} cannot be exported: only encoders that read log-mels of the audio alone (Whisper) run "
            "without torch so far"
        )
    return ExportableRecogniser(model, layers).eval()


def export(run_dir: Path, path: Path, layers: Sequence[int], *, int8: bool = True) -> int:
    """Write the recogniser of a run as ONNX, atomically.

    Args:
        run_dir: A trained run.
        path: The file.
        layers: Those whose states come out; the last where none is named.
        int8: Store large weights in int8.

    Returns:
        The number of mel bands that it reads.

    Raises:
        PhonobenchError: For an encoder that does not read log-mels.
    """
    module = exportable(run_dir, layers)
    example = torch.zeros(1, module.model.encoder.bands, 2 * 100)
    outputs = ("logp", "states") if module.model.judge is None else ("logp", "states", "judged")
    write(module, (example,), path, {"mel": {2: "frames"}}, outputs)
    if int8:
        shrink(path)
    return module.model.encoder.bands


def export_score_head(run_dir: Path, path: Path) -> bool:
    """Write the score head of a run as ONNX, for one utterance.

    Args:
        run_dir: A trained run.
        path: The file.

    Returns:
        Whether the run has a score head; without one nothing is written.
    """
    model = trained.load(run_dir).cpu()
    if model.judge is None:
        return False
    width = model.encoder.width
    example = (torch.zeros(7, width), torch.zeros(width), torch.ones(7, dtype=torch.long))
    free = {"pooled": {0: "phones"}, "whole": {}, "ids": {0: "phones"}}
    write(model.judge.eval(), example, path, free, ("phone", "sentence"))
    return True


def write(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    free: dict[str, dict[int, str]],
    outputs: tuple[str, ...],
) -> None:
    """One ONNX file of a module, atomically.

    Args:
        module: In evaluation mode.
        example: Its inputs.
        path: The file.
        free: By input the axes that may be of any length, with their names.
        outputs: The names of what it gives.
    """
    axes = tuple(dict.fromkeys(free[name], torch.export.Dim.AUTO) for name in free)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own plans
        program = torch.onnx.export(
            module,
            example,
            input_names=list(free),
            output_names=list(outputs),
            dynamic_shapes=axes,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
    store.write_bytes(path, program.model_proto.SerializeToString())


def write_scorer(network: Ensemble, path: Path) -> None:
    """A fitted scorer as ONNX: one utterance, any number of phones; inputs and outputs as in `ScorerNetwork`."""
    size = network.size
    example = (
        torch.zeros(1, 12, size.rows),
        torch.zeros(1, 12, size.states),
        torch.ones(1, 12, dtype=torch.long),
        torch.eye(4).repeat_interleave(3, 1)[None],
    )
    free = {"rows": {1: "phones"}, "states": {1: "phones"}, "ids": {1: "phones"}, "belongs": {1: "words", 2: "phones"}}
    torch.backends.mha.set_fastpath_enabled(False)  # its kernel has no counterpart in ONNX
    try:
        write(network.eval(), example, path, free, OUTPUTS)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


def shrink(path: Path) -> None:
    """Store the large weights of an ONNX file in int8, with a scale an output channel, and multiply in float32.

    Sinusoidal positions and other large tables go to float16.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(path)
    weights_of = {one.name: one for one in model.graph.initializer}
    made: list[onnx.NodeProto] = []
    for node in model.graph.node:
        name = node.input[1] if node.op_type in _SHRUNK else ""
        if name not in weights_of or np.prod(weights_of[name].dims) < SMALL:
            continue
        value = numpy_helper.to_array(weights_of[name])
        axis = 0 if node.op_type == "Conv" else value.ndim - 1
        across = tuple(k for k in range(value.ndim) if k != axis)
        scale = np.maximum(np.abs(value).max(axis=across), 1e-12) / 127
        whole = np.round(value / np.expand_dims(scale, across)).astype(np.int8)
        if not any(one.output[0] == f"{name}.float" for one in made):
            model.graph.initializer.extend(
                [
                    numpy_helper.from_array(whole, f"{name}.int8"),
                    numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"),
                ]
            )
            given = [f"{name}.int8", f"{name}.scale"]
            made.append(helper.make_node("DequantizeLinear", given, [f"{name}.float"], axis=axis))
        node.input[1] = f"{name}.float"
    used = {name for node in model.graph.node for name in node.input}
    for name, kept in weights_of.items():
        if name not in used:
            model.graph.initializer.remove(kept)
        elif kept.data_type == onnx.TensorProto.FLOAT and np.prod(kept.dims) >= SMALL:
            half = numpy_helper.to_array(kept).astype(np.float16)
            model.graph.initializer.remove(kept)
            model.graph.initializer.append(numpy_helper.from_array(half, f"{name}.half"))
            made.append(helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    for node in reversed(made):
        model.graph.node.insert(0, node)
    onnx.checker.check_model(model)
    store.write_bytes(path, model.SerializeToString())


_SHRUNK = ("MatMul", "Conv")
SMALL = 10_000
"""Numbers below which a tensor stays as it is."""
