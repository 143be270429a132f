"""Claims about learning as data, and their judgement: what science says of larvae, held against the circuit."""

from kenyon.conditioning.claims.adults import ADULTS
from kenyon.conditioning.claims.answers import Answers
from kenyon.conditioning.claims.claim import Claim, Criterion
from kenyon.conditioning.claims.judging import Judgement, Measured, Verdict, judge
from kenyon.conditioning.claims.jurgensen2024 import JURGENSEN_2024
from kenyon.conditioning.claims.known import COLLECTIONS
from kenyon.conditioning.claims.larvae import LARVAE
from kenyon.conditioning.claims.reproducing import Reproduction, reproduce

__all__ = [
    "ADULTS",
    "COLLECTIONS",
    "JURGENSEN_2024",
    "LARVAE",
    "Answers",
    "Claim",
    "Criterion",
    "Judgement",
    "Measured",
    "Reproduction",
    "Verdict",
    "judge",
    "reproduce",
]
