"""What is done for one member of a training of the user's own."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from relujax.engine._network import Members, pack
from relujax.engine._skeleton import Skeleton
from relujax.engine._training import Training
from relujax.errors import InputError, short
from relujax.training import NEVER, Streams, streams

Tree = Any


class Stage(NamedTuple):
    """How far a member is: its state, and how many updates were done."""

    state: Tree
    step: jax.Array


class Custom(NamedTuple):
    """One member that `init`, `step` and `evaluate` of the user's train.

    Attributes:
      skeleton: the cell without its traced numbers.
      root: the root seed.
    """

    skeleton: Skeleton
    root: int

    def start(self, member: Members, first: Any) -> Stage:
        """The state before any training."""
        del first
        training, keys = self._training(member)
        return Stage(training.init(keys.init), jnp.int32(0))

    def advance(self, progress: Stage, member: Members, shared: Any):
        """Train and evaluate: see `Program.advance`."""
        _, epochs = shared
        training, keys = self._training(member)

        def update(_, stage):
            key = jax.random.fold_in(keys.activation, stage.step)
            return Stage(training.step(key, stage.state), stage.step + 1)

        def evaluation(stage, epochs):
            stage = jax.lax.fori_loop(0, epochs * training.steps, update, stage)
            return stage, pack(self._measured(training, keys, stage))

        return jax.lax.scan(evaluation, progress, epochs)

    def metrics(self, progress: Stage, member: Members, data: Any):
        """The metrics of an evaluation, for their shapes."""
        del data
        training, keys = self._training(member)
        return self._measured(training, keys, progress)

    def step(self, progress: Stage, member: Members, batch: Any):
        """One update."""
        del batch
        training, keys = self._training(member)
        return training.step(keys.activation, progress.state)

    def weights(self, progress: Stage) -> Tree:
        """What is kept of a trained member: its state."""
        return {"state": progress.state}

    def _training(self, member: Members) -> tuple[Training, Streams]:
        part, act = self.skeleton.part("training"), self.skeleton.part("activation")
        numbers = member.hyperparameters
        chosen = act.factory(**dict(act.static), **numbers["activation"])
        made = part.factory(chosen, **dict(part.static), **numbers["training"])
        if not isinstance(made, Training):
            raise InputError(
                f"Expected {part.name} to return relujax.engine.Training(init, step, "
                f"evaluate), got {short(made)}."
            )
        return made, streams(self.root, member.seed)

    def _measured(self, training: Training, keys: Streams, stage: Stage):
        key = jax.random.fold_in(keys.order, stage.step)
        scores = dict(training.evaluate(key, stage.state))
        for name, value in scores.items():
            if jnp.shape(value) != ():
                raise InputError(
                    f"Expected a number for {name!r} from evaluate, got an array of "
                    f"shape {jnp.shape(value)}."
                )
        values = jnp.stack([jnp.asarray(v, jnp.float32) for v in scores.values()])
        lost = ~jnp.isfinite(values).all()
        at = jnp.where(lost, stage.step.astype(jnp.float32), NEVER)
        return {"test": scores, "diverged_step": at}
