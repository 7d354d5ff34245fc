"""What training raises when it cannot go on."""


class TrainingDiverged(ArithmeticError):  # noqa: N818 - says what happened, as StopIteration does
    """The loss or a weight became NaN or infinite; the network was given back its last good weights.

    Parameters
    ----------
    message : str
        What happened, and what to try.
    epoch : int
        The epoch in which it happened, counted from 1.
    learning_rate : float
        The learning rate then.
    """

    def __init__(self, message, epoch, learning_rate):
        super().__init__(message)
        self.epoch = epoch
        self.learning_rate = learning_rate

    def __reduce__(self):
        return type(self), (self.args[0], self.epoch, self.learning_rate)
