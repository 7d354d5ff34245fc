"""Schedules give the learning rates that PyTorch's give, and count what they say they count."""

import numpy as np
import pytest

from neurojit.training import SGD, CosineDecay, ReduceOnPlateau, Schedule, StepDecay, Trainer, WarmUp
from neurojit.training.callbacks import Callback
from tests.training.toys import Linear, Squared, line_batches


def torch_rates(torch, make, length, observed=None):
    """The rates of a torch scheduler from 0.3 over so many calls."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler, rates = make(optimizer), []
    for t in range(length):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*(() if observed is None else (observed[t],)))
    return rates


def test_step_decay_is_torchs(torch):
    wanted = torch_rates(torch, lambda o: torch.optim.lr_scheduler.StepLR(o, 3, gamma=0.5), 10)
    np.testing.assert_allclose([StepDecay(3, gamma=0.5).rate(0.3, t) for t in range(10)], wanted, rtol=1e-12)


def test_cosine_decay_is_torchs(torch):
    wanted = torch_rates(torch, lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 8, eta_min=0.01), 9)
    schedule = CosineDecay(8, minimum=0.01)
    np.testing.assert_allclose([schedule.rate(0.3, t) for t in range(9)], wanted, rtol=1e-12)
    assert schedule.rate(0.3, 20) == pytest.approx(0.01)


def test_warm_up_is_torchs_and_multiplies(torch):
    from torch.optim import lr_scheduler

    def rise(optimizer):
        return lr_scheduler.LinearLR(optimizer, start_factor=1 / 4, total_iters=3)

    def both(optimizer):
        return lr_scheduler.ChainedScheduler([rise(optimizer), lr_scheduler.StepLR(optimizer, 3, gamma=0.5)])

    for make, then in ((rise, None), (both, StepDecay(3, gamma=0.5, unit="step"))):
        schedule = WarmUp(4, then=then)
        ours = [schedule.learning_rate(0.3, epoch=0, step=t) for t in range(10)]
        np.testing.assert_allclose(ours, torch_rates(torch, make, 10), rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "torch_options"),
    [
        ({"patience": 1}, {"patience": 1}),
        ({"patience": 0, "factor": 0.5, "cooldown": 2}, {"patience": 0, "factor": 0.5, "cooldown": 2}),
        ({"patience": 0, "threshold": 0.2}, {"patience": 0, "threshold": 0.2}),
        ({"patience": 0, "minimum": 0.02}, {"patience": 0, "min_lr": 0.02}),
        ({"patience": 1, "mode": "max"}, {"patience": 1, "mode": "max"}),
    ],
)
def test_reduce_on_plateau_is_torchs(options, torch_options, torch):
    observed = [5.0, 4.0, 4.0, 4.1, 3.9, 3.0, 3.0, 3.0, 3.0, 2.9, 3.5, 3.5, 3.5, 1.0, 1.0, 1.0, 0.9, 0.9, 0.9, 0.9]
    make = torch.optim.lr_scheduler.ReduceLROnPlateau
    # torch leaves rates that would change by less than eps; ours have no such floor.
    wanted = torch_rates(torch, lambda o: make(o, **torch_options, eps=0), len(observed), observed)
    schedule, ours = ReduceOnPlateau(**options), []
    for value in observed:
        ours.append(schedule.learning_rate(0.3, epoch=0, step=0))
        schedule.observe({"validation_loss": value})
    assert len(set(ours)) > 1
    np.testing.assert_allclose(ours, wanted, rtol=1e-12)


def test_nan_never_improves():
    schedule = ReduceOnPlateau(patience=0, factor=0.5)
    schedule.observe({"validation_loss": float("nan")})
    assert schedule.rate(1.0, 0) == 0.5


class Rates(Callback):
    def __init__(self):
        self.seen = []

    def on_batch_end(self, trainer, batch, loss):
        self.seen.append(trainer.optimizer.learning_rate)


def rates(schedule, max_epochs=3):
    """The rates at each of the two updates of each epoch."""
    watch = Rates()
    options = {"batch_size": 20, "max_epochs": max_epochs, "schedule": schedule, "callbacks": [watch]}
    trainer = Trainer(Linear(2), Squared(), SGD(0.1), random_state=0, **options)
    trainer.fit(line_batches(n=40), line_batches(n=10))
    assert list(trainer.history["learning_rate"]) == watch.seen[1::2]
    return watch.seen


def test_the_trainer_counts_epochs_and_updates_from_0():
    np.testing.assert_allclose(rates(StepDecay(1, gamma=0.5)), [0.1, 0.1, 0.05, 0.05, 0.025, 0.025])
    np.testing.assert_allclose(rates(StepDecay(1, gamma=0.5, unit="step"), 2), [0.1, 0.05, 0.025, 0.0125])
    wanted = [0.1 / 3, 0.2 / 3, 0.05, 0.05, 0.025, 0.025]
    np.testing.assert_allclose(rates(WarmUp(3, then=StepDecay(1, gamma=0.5))), wanted)


def test_the_trainer_shows_a_schedule_its_records_and_starts_it_anew():
    schedule = ReduceOnPlateau("loss", patience=0, factor=0.5, threshold=1e6)
    wanted = [0.1, 0.1, 0.1, 0.1, 0.05, 0.05]
    np.testing.assert_allclose(rates(schedule), wanted)
    np.testing.assert_allclose(rates(schedule), wanted)
    warmed = WarmUp(1, then=schedule)
    np.testing.assert_allclose(rates(warmed), wanted)
    assert warmed.state()["reductions"] == schedule.reductions == 2


def test_without_a_schedule_the_rate_is_the_users():
    trainer = Trainer(Linear(2), Squared(), SGD(0.1), max_epochs=1, random_state=0)
    trainer.fit(line_batches())
    trainer.optimizer.learning_rate, trainer.max_epochs = 0.025, 2
    assert trainer.fit(line_batches())["learning_rate"].tolist() == [0.1, 0.025]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StepDecay(0), "step_size: got 0, wanted an integer >= 1"),
        (lambda: StepDecay(1, gamma=0), "gamma: got 0, wanted a number > 0"),
        (lambda: StepDecay(1, unit="batch"), "unit: got 'batch', wanted 'epoch' or 'step'"),
        (lambda: CosineDecay(1.5), "length: got 1.5, wanted an integer"),
        (lambda: CosineDecay(1, minimum=-1), "minimum: got -1"),
        (lambda: WarmUp(5, then=0.1), "then: got float, wanted a Schedule or None"),
        (lambda: ReduceOnPlateau(factor=1), "factor: got 1, wanted a number > 0 and < 1"),
        (lambda: ReduceOnPlateau("perplexity"), "mode: got None for monitor 'perplexity'"),
        (lambda: ReduceOnPlateau(mode="down"), "mode: got 'down', wanted 'min', 'max' or None"),
        (lambda: ReduceOnPlateau().observe({"loss": 1.0}), r"monitor: got 'validation_loss', wanted one of \['loss'\]"),
        (lambda: Schedule().rate(0.1, 0), r"Schedule: a schedule declares rate\(\)"),
    ],
)
def test_bad_options_are_named(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
