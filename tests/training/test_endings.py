"""How a fit ends before its time: a loss that is not finite, the keyboard, a callback."""

import math

import numpy as np
import pytest

from neurojit.training import SGD, Adam, Callback, Trainer, TrainingDiverged
from tests.training.toys import Linear, Squared, assert_same_bits, line_batches, make_trainer, weights


class FailingLoss(Squared):
    """Becomes `value` at the given call."""

    def __init__(self, call, value):
        self.call, self.value_then, self.calls = call, value, 0

    def vjp(self, outputs, targets, sample_weight=None):
        self.calls += 1
        loss, backward = super().vjp(outputs, targets, sample_weight)
        return (self.value_then if self.calls == self.call else loss), backward


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_restores_the_last_good_weights(value):
    good = make_trainer(max_epochs=2)
    good.fit(line_batches())
    trainer = Trainer(
        Linear(2, noise=0.1), FailingLoss(8, value), Adam(0.05), batch_size=16, max_epochs=5, random_state=0
    )
    with pytest.raises(
        TrainingDiverged, match=rf"loss: got {value} in epoch 3 at learning rate 0.05.*try 0.005"
    ) as info:
        trainer.fit(line_batches())
    assert "as it was at the end of epoch 2" in str(info.value)
    assert (info.value.epoch, info.value.learning_rate) == (3, 0.05)
    assert isinstance(info.value, ArithmeticError)
    assert_same_bits(weights(trainer), weights(good))
    # The optimizer went back too, so with a loss that is finite the training goes on as if nothing had been.
    trainer.max_epochs = good.max_epochs = 3
    trainer.fit(line_batches())
    good.fit(line_batches())
    assert_same_bits(weights(trainer), weights(good))


def test_a_rate_too_high_is_found_out():
    trainer = make_trainer(Linear(2), SGD(1e6), max_epochs=50)
    with pytest.raises(TrainingDiverged, match="lower learning_rate"), np.errstate(all="ignore"):
        trainer.fit(line_batches())
    assert all(np.isfinite(array).all() for array in weights(trainer).values())


def test_weights_poisoned_by_the_last_update_of_an_epoch_are_found_out():
    class Poisoned(Trainer):
        def step(self, batch, key):
            result = super().step(batch, key)
            if self.updates == 5:
                self.network.bias.value[0] = np.nan
            return result

    trainer = Poisoned(Linear(2), Squared(), SGD(0.01), batch_size=16, max_epochs=9, random_state=0)
    with pytest.raises(TrainingDiverged, match="weights: got NaN or infinite values in epoch 2"):
        trainer.fit(line_batches())
    assert len(trainer.history) == 1
    assert np.isfinite(trainer.network.bias.value).all()


def test_diverging_at_once_leaves_the_first_weights():
    trainer = Trainer(Linear(2), FailingLoss(2, math.nan), SGD(0.1), batch_size=16, random_state=0)
    trainer.build(line_batches())
    before = weights(trainer)
    with pytest.raises(TrainingDiverged, match="as it was before the first epoch"):
        trainer.fit(line_batches())
    assert_same_bits(weights(trainer), before)


class InterruptAt(Callback):
    def __init__(self, update):
        self.update, self.ended, self.closed = update, 0, 0

    def on_batch_end(self, trainer, batch, loss):
        if trainer.updates == self.update:
            raise KeyboardInterrupt

    def on_fit_end(self, trainer):
        self.ended += 1

    def close(self):
        self.closed += 1


def test_the_keyboard_ends_a_fit_and_keeps_the_model():
    interrupt = InterruptAt(5)
    trainer = make_trainer(callbacks=[interrupt])
    history = trainer.fit(line_batches())
    assert history.stopped == "interrupted in epoch 2"
    assert len(history) == 1
    assert (interrupt.ended, interrupt.closed) == (1, 1)
    one_epoch = make_trainer(max_epochs=1)
    one_epoch.fit(line_batches())
    assert not np.array_equal(trainer.network.weight.value, one_epoch.network.weight.value)
    assert trainer.fit(line_batches()).stopped is None
    assert trainer.epoch == 3


class StopAt(Callback):
    def __init__(self, epoch=None, update=None):
        self.epoch, self.update = epoch, update

    def on_batch_end(self, trainer, batch, loss):
        if trainer.updates == self.update:
            trainer.stop("enough updates")

    def on_epoch_end(self, trainer, record):
        if record["epoch"] == self.epoch:
            trainer.stop("enough epochs")


def test_a_callback_stops_after_an_epoch_or_a_batch():
    trainer = make_trainer(callbacks=[StopAt(epoch=2)])
    assert trainer.fit(line_batches()).stopped == "enough epochs"
    assert (trainer.epoch, trainer.updates) == (2, 6)
    trainer = make_trainer(callbacks=[StopAt(update=5)])
    assert trainer.fit(line_batches()).stopped == "enough updates"
    assert (trainer.epoch, trainer.updates) == (1, 5)
