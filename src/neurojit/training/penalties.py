"""What is added to a training's gradients beside those of the loss."""


class Penalty:
    """Something that adds to the gradients of a training, after the loss and before they are clipped.

    A subclass declares `vjp`. Give instances as ``Trainer(..., penalties=[...])``.

    Examples
    --------
    >>> import numpy as np
    >>> from neurojit.training import Penalty
    >>> class WeightDecay(Penalty):  # of matrices alone
    ...     def vjp(self, network, passes):
    ...         matrices = [p for p in network.named_parameters().values() if p.value.ndim > 1]
    ...         value = 0.005 * sum(float(np.square(p.value).sum()) for p in matrices)
    ...         return value, {p: 0.01 * p.value for p in matrices}
    """

    def vjp(self, network, passes):
        """The value of the penalty and its gradients.

        Parameters
        ----------
        network : Layer
        passes : list of Pass
            Every use of its layers in this update, with inputs, outputs and the gradients that came back.

        Returns
        -------
        value : float
        gradients : dict of Parameter to numpy.ndarray
        """
        raise TypeError(f"{type(self).__name__}: a penalty declares vjp()")
