"""Temporal convolutional networks: sequences by causal convolutions whose reach doubles from block to block."""

from neurojit.layers import Sequential, TemporalBlock


def tcn(channels, kernel_size=2, dropout=0.2):
    """A temporal convolutional network (Bai, Kolter and Koltun 2018).

    One `TemporalBlock` for each number of channels, the i-th (from 0) with dilation 2^i. The last step of an output
    sees 1 + 2 (kernel_size - 1) (2^blocks - 1) steps of the input: the sequence should not be longer.

    Parameters
    ----------
    channels : sequence of int
        Output channels of each block.
    kernel_size : int, default=2
        Steps a convolution sees.
    dropout : float, default=0.2
        Share of activations that are dropped in training.

    Returns
    -------
    Sequential
        From (n, t, features) to (n, t, channels[-1]); put a `Dense` behind it for scores of each step.

    Raises
    ------
    ValueError
        If there are no blocks.

    Examples
    --------
    >>> from neurojit.inspection import receptive_field
    >>> from neurojit.models import tcn
    >>> network = tcn([25] * 4, kernel_size=3)
    >>> network.output_shape((100, 1)), receptive_field(network)[-1].size
    ((100, 25), (61,))
    """
    channels = list(channels)
    if not channels:
        raise ValueError("channels: got none, wanted the output channels of at least one block")
    return Sequential(*(TemporalBlock(filters, kernel_size, 2**i, dropout) for i, filters in enumerate(channels)))
