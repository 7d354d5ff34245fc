"""Text: its words and their numbers, the pairs of words within a window, and vectors of words."""

from neurojit.text.keyed_vectors import KeyedVectors
from neurojit.text.lines import LineSentences
from neurojit.text.vocabulary import Vocabulary
from neurojit.text.windows import contexts, skip_grams

__all__ = ["KeyedVectors", "LineSentences", "Vocabulary", "contexts", "skip_grams"]
