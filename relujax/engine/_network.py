"""What is done for one network of a population, as functions of numbers and data."""

from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from relujax.data import Dataset, Transform
from relujax.engine import _best
from relujax.engine._best import Best
from relujax.engine._skeleton import Facts, Numbers, Skeleton
from relujax.training import (
    NEVER,
    Batch,
    Fates,
    Run,
    Split,
    Streams,
    TrainState,
    alive,
    follow,
    make_run,
    streams,
    train_epoch,
)

Tree = Any

#: What is known of the last epoch, `NEVER` where there was none.
LOSSES = ("running_loss", "diverged_step", "signal")


class Members(NamedTuple):
    """The population: one row per network, along the leading axis of every leaf.

    Attributes:
      seed: seed ids, `[members]` int32.
      hyperparameters: the cell's traced numbers, each `[members]` float32.
    """

    seed: ArrayLike
    hyperparameters: Numbers


class Splits(NamedTuple):
    """The parts of a data set on the device, shared by all members."""

    train: Split
    test: Split
    validation: Split | None = None

    def present(self) -> dict[str, Split]:
        """Name to part, of those that there are."""
        return {k: part for k, part in self._asdict().items() if part is not None}


class Progress(NamedTuple):
    """How far a member is.

    Attributes:
      train: the training state.
      fates: which units are dead on the examples of each split.
      best: the best evaluation so far; None without a validation part.
    """

    train: TrainState
    fates: dict[str, Fates]
    best: Best | None = None


def splits(data: Dataset) -> Splits:
    """The arrays of a data set as they are stored (images stay uint8)."""
    found = {part: Split(*cast(Any, arrays)) for part, *arrays in data.parts()}
    return Splits(**found)


class Network(NamedTuple):
    """One network that is trained on data.

    Attributes:
      skeleton: the cell without its traced numbers.
      facts: what must be known of the data.
      transform: from stored inputs to those of the network.
      root: the root seed.
      keep: whether the weights of the best epoch are kept.
    """

    skeleton: Skeleton
    facts: Facts
    transform: Transform
    root: int
    keep: bool = False

    def start(self, member: Members, first: Splits) -> Progress:
        """The state before any training."""
        run, keys = self._run(member)
        state = run.init(keys, first.train.x)
        _, dead = jax.eval_shape(run.evaluate, state, first.train)
        best = None
        if first.validation is not None:
            best = _best.before(self._weights(state))
        return Progress(state, dict.fromkeys(first.present(), alive(dead)), best)

    def advance(self, progress: Progress, member: Members, shared: Any):
        """Train and evaluate: see `Program.advance`."""
        data, epochs = shared
        run, keys = self._run(member)
        size = self.skeleton.batch_size
        steps = -(-len(data.train.x) // size)

        def epoch(_, carry):
            state, before = carry
            slope = signal(state)
            state, (loss, diverged) = train_epoch(
                run, state, data.train, keys, batch_size=size
            )
            diverged = jnp.minimum(before["diverged_step"], diverged)
            return state, _losses(loss, diverged, slope)

        def evaluation(progress, epochs):
            now = lambda state: state.step.astype(jnp.float32) / steps
            if progress.best is not None and self.skeleton.patience is not None:
                over = _best.is_over(
                    progress.best, now(progress.train), self.skeleton.patience
                )
                epochs = jnp.where(over, 0, epochs)
            # The trip count is traced: none before the first evaluation.
            state, losses = jax.lax.fori_loop(
                0, epochs, epoch, (progress.train, _no_losses())
            )
            fates, metrics = _measure(run, state, data, progress.fates)
            losses["diverged_step"] = _lost_at(state, losses, metrics)
            best = progress.best
            if best is not None:
                loss = metrics["validation"]["loss"]
                best = _best.follow(best, loss, now(state), self._weights(state))
                losses |= {"best_epoch": best.epoch, "trained": now(state)}
            return Progress(state, fates, best), pack({**metrics, **losses})

        return jax.lax.scan(evaluation, progress, epochs)

    def metrics(self, progress: Progress, member: Members, data: Splits):
        """The metrics of an evaluation, for their shapes."""
        run, _ = self._run(member)
        _, metrics = _measure(run, progress.train, data, progress.fates)
        losses = _no_losses()
        if progress.best is not None:
            losses |= {"best_epoch": jnp.float32(0), "trained": jnp.float32(0)}
        return {**metrics, **losses}

    def step(self, progress: Progress, member: Members, batch: Batch):
        """One update."""
        run, keys = self._run(member)
        return run.step(progress.train, batch, keys)

    def values(self, progress: Progress, member: Members, x: jax.Array):
        """What a batch of inputs becomes in the network: outputs, pre-activations."""
        state = progress.train
        facts = self.facts._replace(examples=len(x))
        model, _, _ = self.skeleton.build(member.hyperparameters, facts)
        y, _, layers = model.apply(state.params, state.state, self.transform(x))
        return y, layers

    def weights(self, progress: Progress) -> Tree:
        """What is kept of a trained network: parameters and state."""
        if self.keep and progress.best is not None:
            return progress.best.weights
        return _weights_of(progress.train)

    def _weights(self, state: TrainState) -> Tree:
        return _weights_of(state) if self.keep else ()

    def _run(self, member: Members) -> tuple[Run, Streams]:
        parts = self.skeleton.build(member.hyperparameters, self.facts)
        chosen = self.skeleton.chosen_metrics()
        run = make_run(
            *parts,
            classes=self.facts.classes,
            transform=self.transform,
            tolerances=self.skeleton.tolerances,
            **cast(Any, {"metrics": chosen} if chosen else {}),
        )
        return run, streams(self.root, member.seed)


def _weights_of(state: TrainState) -> Tree:
    return {"params": state.params, "state": state.state}


def _losses(
    running_loss: jax.Array, diverged_step: jax.Array, signal: jax.Array
) -> dict[str, jax.Array]:
    """What is known of the last epoch; and the first step of all that diverged."""
    found = (running_loss, diverged_step, signal)
    return dict(zip(LOSSES, found, strict=True))


def _no_losses() -> dict[str, jax.Array]:
    return _losses(*[jnp.float32(NEVER)] * 3)


def _lost_at(
    state: TrainState, losses: dict[str, jax.Array], metrics: dict[str, Any]
) -> jax.Array:
    """The first step whose loss is not finite; `NEVER` where there is none.

    The update before an evaluation may be the one that ruins the network: the losses
    of the steps are finite, that of the next one would not be.
    """
    lost = ~jnp.isfinite(jnp.stack([m["loss"] for m in metrics.values()])).all()
    at = jnp.where(lost, state.step.astype(jnp.float32), NEVER)
    return jnp.minimum(losses["diverged_step"], at)


def _measure(
    run: Run, state: TrainState, data: Splits, before: dict[str, Fates]
) -> tuple[dict[str, Fates], dict[str, Any]]:
    """The new fates and the metrics of every split."""
    fates, metrics = {}, {}
    for split, examples in data.present().items():
        scores, dead = run.evaluate(state, examples)
        fates[split], rates = follow(before[split], dead)
        metrics[split] = {**scores, **rates}
    return fates, metrics


def pack(metrics: dict[str, Any]) -> jax.Array:
    """All metrics as one vector: dozens of scalars take long to compile and to fetch.

    Counts stay exact: they are at most the size of a split.
    """
    leaves = jax.tree.leaves(metrics)
    with jax.numpy_dtype_promotion("standard"):
        dtype = jnp.result_type(jnp.float32, *leaves)
    return jnp.concatenate([jnp.ravel(leaf).astype(dtype) for leaf in leaves])


def signal(state: TrainState) -> jax.Array:
    """The loss that the activations are fed, `NEVER` where none listens."""
    leaves = jax.tree_util.tree_leaves_with_path(state.state.get("signal", {}))
    fed = [leaf for path, leaf in leaves if path[-1].key == "loss"]
    return fed[0] if fed else jnp.float32(NEVER)
