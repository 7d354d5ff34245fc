"""Recurrent networks: layers along time, and a dense layer on their states."""

from neurojit.layers import GRU, LSTM, RNN, Bidirectional, Dense, Dropout, Embedded, Embedding, Sequential, Stacked

CELLS = ("lstm", "gru", "rnn")
_OUTPUT_GAIN = 0.1


def recurrent(
    n_outputs,
    *,
    cell="lstm",
    units=64,
    n_layers=1,
    bidirectional=False,
    peephole=False,
    coupled=False,
    dropout=0.0,
    per_step=False,
    n_symbols=None,
    embedding_size=64,
):
    """A recurrent network for sequences.

    Parameters
    ----------
    n_outputs : int
        Number of outputs: classes, or values to predict.
    cell : {"lstm", "gru", "rnn"}, default="lstm"
    units : int, default=64
        Units of a layer, in each direction.
    n_layers : int, default=1
        Layers on top of one another.
    bidirectional : bool, default=False
        Whether each layer reads the sequence backward, too (Schuster and Paliwal 1997).
    peephole, coupled : bool, default=False
        As in `neurojit.layers.LSTM`; only for that cell.
    dropout : float, default=0.0
        Share of a layer's outputs that is dropped in training, before the layer above it (Zaremba et al. 2014).
    per_step : bool, default=False
        Whether outputs are wanted for each step, (n, t, n_outputs), or one for a sequence.
    n_symbols : int or None, default=None
        How many symbols there are, if inputs are their numbers (n, t), which are embedded; None for inputs (n, t, f).
    embedding_size : int, default=64
        Length of the symbols' vectors.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If the cell is unknown, or `peephole` or `coupled` is asked for one that is no LSTM.

    Examples
    --------
    >>> from neurojit.models import recurrent
    >>> recurrent(3, units=8, bidirectional=True)
    Sequential(
      Bidirectional(
        LSTM(8),
        LSTM(8, reverse=True),
      ),
      Dense(3, gain=0.1),
    )
    """
    if cell not in CELLS:
        raise ValueError(f"cell: got {cell!r}, wanted one of {CELLS}")
    for name, value in (("peephole", peephole), ("coupled", coupled)):
        if value and cell != "lstm":
            raise ValueError(f"{name}: got {value!r} for cell={cell!r}, wanted False: it is a part of an LSTM")

    def layer(is_last):
        sequences = per_step or not is_last
        if cell == "lstm":
            one = LSTM(units, return_sequences=sequences, peephole=peephole, coupled=coupled)
        else:
            one = {"gru": GRU, "rnn": RNN}[cell](units, return_sequences=sequences)
        return Bidirectional(one) if bidirectional else one

    layers = [layer(i == n_layers - 1) for i in range(n_layers)]
    below = [] if n_symbols is None else [Embedding(n_symbols, embedding_size)]
    if below and not bidirectional:
        layers[0], below = Embedded(*below, layers[0]), []
    return Sequential(
        *below,
        layers[0] if n_layers == 1 else Stacked(*layers, dropout=dropout),
        *([Dropout(dropout)] if dropout else []),
        Dense(n_outputs, gain=_OUTPUT_GAIN),
    )
