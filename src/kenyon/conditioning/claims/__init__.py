"""Claims about learning as data, and their judgement: what science says of larvae, held against the circuit."""

from kenyon.conditioning.claims.answers import Answers
from kenyon.conditioning.claims.claim import Claim, Criterion
from kenyon.conditioning.claims.judging import Judgement, Measured, Verdict, judge
from kenyon.conditioning.claims.larvae import LARVAE

__all__ = ["LARVAE", "Answers", "Claim", "Criterion", "Judgement", "Measured", "Verdict", "judge"]
