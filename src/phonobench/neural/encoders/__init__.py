"""Speech encoders behind one interface (`Encoder`), one file a kind of input."""

from phonobench.neural.encoders.conformer import BertEncoder, ParakeetEncoder
from phonobench.neural.encoders.discrete import CodecEncoder, DiscreteEncoder, QuantisedEncoder
from phonobench.neural.encoders.encoder import Encoder
from phonobench.neural.encoders.joint import JointEncoder
from phonobench.neural.encoders.wave import WaveEncoder
from phonobench.neural.encoders.whisper import MelEncoder

__all__ = [
    "BertEncoder",
    "CodecEncoder",
    "DiscreteEncoder",
    "Encoder",
    "JointEncoder",
    "MelEncoder",
    "ParakeetEncoder",
    "QuantisedEncoder",
    "WaveEncoder",
]
