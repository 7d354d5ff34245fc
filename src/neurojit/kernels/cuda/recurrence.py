"""What a step of all recurrent layers shares. A thread takes one unit of one sequence, a row.

Everything that is kept lies by step: step s of a sequence is its time s, or, in reverse, its time length - 1 - s. With
n rows of h units

    gates (t, n, G h): what the inputs give to the gates, and then the gates    states (t + 1, n, h), states[0] = h0
    product (n, G h) or (n, h): of the states before, or of the gradients after, with the recurrent weights
    state (n, h): what the next product sees of the states, each times its mask where there is one, (n, h) or (0,)
    lengths (n,), or (0,) where no sequence ends before the last step

A sequence that has ended keeps its state, and its gradients to gates are zero: so the last states are states[t], and
sums over all steps need not know lengths. All arrays are flat.
"""

from neurojit.core.cuda import Launch, device_function

THREADS = 256


def unit_each(units):
    """A thread for every unit of every row."""
    return Launch(-(-units // THREADS), THREADS)


@device_function
def length_of(lengths, row, steps):
    """Steps of a sequence."""
    return lengths[row] if lengths.size > 0 else steps


@device_function
def seen(v, mask, k):
    """v as a product sees it, and the gradient to it on the way back."""
    return v * mask[k] if mask.size > 0 else v


@device_function
def gradient_after(dy, product, mask, dlast, step, length, size, k):
    """The gradient to the state after a step: of its output, and of what came later or of the last state."""
    later = dlast[k] if step == length - 1 else seen(product[k], mask, k)
    return dy[step * size + k] + later
