"""Decoding: from probabilities to sequences of symbols, the best of all or a good one.

`greedy` and `beam_search` read a table of probabilities, `step_greedy` and `step_beam_search` ask a model step by step,
`ctc_greedy` and `ctc_beam_search` read what a network trained with `functional.ctc_loss` says.

Examples
--------
>>> from neurojit import decoding
>>> table = [[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]
>>> decoding.greedy(table)
array([2, 0])
>>> for tokens, score in decoding.beam_search(table, width=2):
...     print(tokens, round(score, 4))
[2 0] 0.8675
[2 1] 1.5606
"""

from neurojit.decoding.ctc import ctc_greedy
from neurojit.decoding.ctc_beam import ctc_beam_search
from neurojit.decoding.hypothesis import Hypothesis
from neurojit.decoding.steps import step_beam_search, step_greedy
from neurojit.decoding.tables import beam_search, greedy

__all__ = [
    "Hypothesis",
    "beam_search",
    "ctc_beam_search",
    "ctc_greedy",
    "greedy",
    "step_beam_search",
    "step_greedy",
]
