"""Series that reservoirs are tried on, the same on every run."""

import numpy as np

from neurojit.core.random import Key


def mackey_glass(n_steps, *, tau=17.0, beta=0.2, gamma=0.1, n=10.0, step=1.0, substeps=10, start=1.2, discard=1000):
    """The Mackey-Glass equation dx/dt = beta x(t - tau) / (1 + x(t - tau)^n) - gamma x(t).

    Integrated by the classical Runge-Kutta method with sub-steps; the delayed value halfway between two of them is
    interpolated from the four around it.

    Parameters
    ----------
    n_steps : int
    tau : float, default=17.0
        The delay; chaotic above about 16.8. A multiple of step / substeps.
    beta, gamma, n : float, default=0.2, 0.1 and 10
    step : float, default=1.0
        Time between two values.
    substeps : int, default=10
        Integration steps in one.
    start : float, default=1.2
        x at all times up to 0.
    discard : int, default=1000
        Values left out at the start.

    Returns
    -------
    numpy.ndarray, shape (n_steps, 1)

    Raises
    ------
    ValueError
        If `tau` is not at least two integration steps, and a multiple of one.

    Examples
    --------
    >>> from neurojit.reservoirs import mackey_glass
    >>> x = mackey_glass(2000)
    >>> bool(0.2 < x.min() < 0.5 and 1.2 < x.max() < 1.4)
    True
    """
    h = step / substeps
    delay = round(tau / h)
    if delay < 2 or abs(delay * h - tau) > 1e-9 * tau:
        raise ValueError(f"tau: got {tau!r}, wanted a multiple of step / substeps = {h:g}, at least two of them")
    total = (n_steps + discard) * substeps
    x = [float(start)] * (delay + 1)  # x[i] is the value at time (i - delay) h

    def slope(now, delayed):
        return beta * delayed / (1.0 + delayed**n) - gamma * now

    for i in range(delay, delay + total):
        d0, d1 = x[i - delay], x[i - delay + 1]
        before = x[i - delay - 1] if i > delay else d0
        middle = (-before + 9.0 * (d0 + d1) - x[i - delay + 2]) / 16.0
        k1 = slope(x[i], d0)
        k2 = slope(x[i] + 0.5 * h * k1, middle)
        k3 = slope(x[i] + 0.5 * h * k2, middle)
        k4 = slope(x[i] + h * k3, d1)
        x.append(x[i] + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4))
    values = np.array(x[delay:])
    return values[(discard + np.arange(n_steps)) * substeps].reshape(-1, 1)


def narma(n_steps, *, order=10, random_state=0):
    """NARMA: y(t+1) = 0.3 y(t) + 0.05 y(t) sum_{i<order} y(t-i) + 1.5 u(t-order+1) u(t) + 0.1, u uniform in [0, 0.5].

    Atiya and Parlos 2000, "New results on recurrent network training", equation 86, for order 10. The system can
    diverge; such draws are left out for the next sub-stream.

    Parameters
    ----------
    n_steps : int
    order : int, default=10
    random_state : int, RandomState, Generator or None, default=0

    Returns
    -------
    u : numpy.ndarray, shape (n_steps, 1)
        The input.
    y : numpy.ndarray, shape (n_steps, 1)
        The output; y[t] depends on u up to time t - 1.

    Examples
    --------
    >>> from neurojit.reservoirs import narma
    >>> u, y = narma(1000)
    >>> u.shape, bool(y.max() < 1.1)
    ((1000, 1), True)
    """
    key = Key.from_random_state(random_state)
    for attempt in range(100):
        u = key.child(attempt).uniform(n_steps, 0.0, 0.5, np.float64)
        y = np.zeros(n_steps)
        for t in range(order - 1, n_steps - 1):
            window = y[t - order + 1 : t + 1].sum()
            y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * window + 1.5 * u[t - order + 1] * u[t] + 0.1
            if y[t + 1] > 10:
                break
        else:
            return u.reshape(-1, 1), y.reshape(-1, 1)
    raise ValueError(f"order: got {order}, for which the system diverges in {n_steps} steps, wanted a smaller one")


def lorenz(n_steps, *, step=0.02, sigma=10.0, rho=28.0, beta=8.0 / 3.0, start=(1.0, 1.0, 1.0), substeps=4, discard=500):
    """The Lorenz system dx = sigma (y - x), dy = x (rho - z) - y, dz = x y - beta z, by the Runge-Kutta method.

    Parameters
    ----------
    n_steps : int
    step : float, default=0.02
        Time between two values.
    sigma, rho, beta : float, default=10, 28 and 8 / 3
    start : tuple of float, default=(1.0, 1.0, 1.0)
    substeps : int, default=4
        Integration steps in one.
    discard : int, default=500
        Values left out at the start.

    Returns
    -------
    numpy.ndarray, shape (n_steps, 3)

    Examples
    --------
    >>> from neurojit.reservoirs import lorenz
    >>> bool(abs(lorenz(1000)).max() < 60)
    True
    """
    h = step / substeps

    def slope(v):
        x, y, z = v
        return np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])

    found = np.empty((n_steps + discard, 3))
    v = np.array(start, np.float64)
    for t in range(len(found)):
        found[t] = v
        for _ in range(substeps):
            k1 = slope(v)
            k2 = slope(v + 0.5 * h * k1)
            k3 = slope(v + 0.5 * h * k2)
            k4 = slope(v + h * k3)
            v = v + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return found[discard:]


def multiple_sines(n_steps, *, frequencies=(0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97)):
    """The sum of sines, sum_k sin(f_k t): superimposed oscillators whose common period is long.

    Parameters
    ----------
    n_steps : int
    frequencies : sequence of float
        In radians a step; by default the eight of the multiple superimposed oscillators task (Koryakin, Lohmann and
        Butz 2012, "Balanced echo state networks").

    Returns
    -------
    numpy.ndarray, shape (n_steps, 1)

    Examples
    --------
    >>> from neurojit.reservoirs import multiple_sines
    >>> multiple_sines(3, frequencies=(0.0, 0.0)).tolist()
    [[0.0], [0.0], [0.0]]
    """
    t = np.arange(n_steps)[:, None]
    return np.sin(np.asarray(frequencies, np.float64) * t).sum(axis=1, keepdims=True)
