"""Every public function once, on inputs of a few numbers: what a switch may not break.

`python everything.py FOLDER WHAT [SWITCH]` works in a folder and writes `failed.json`
there: the name of each function that failed, and how. `WHAT` is `all`, or `doors` for
what reads, writes, prints and draws. Most switches are environment variables, set by
`test_switches.py`; `SWITCH` is one that only Python can set, of `_SWITCHES`.
"""

import contextlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import relujax

# Where everything is written; a folder of its own, given as an argument.
ROOT = Path(sys.argv[1]).resolve()
OUT = ROOT / "out[" / "x]"

KEY = jax.random.key(0)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4)).astype(np.float32)
HALF = jax.device_put(X.astype(jnp.bfloat16))
PARAMS = {
    "a": RNG.normal(size=(4, 5)).astype(np.float32),
    "b": RNG.normal(size=(5, 3)).astype(np.float32),
}
LABELS = np.array([0, 1, 2, 0, 1, 2])

# A deterministic, a stochastic, a learnable, a loss-driven and a widening one.
KINDS = ("relu", "gelu", "n_relu", "rrelu", "prelu", "arelu", "crelu", "sugar_relu")


#: Eager operations move constants to the device, JAX's own too, which a guard forbids.
GUARDED = sys.argv[2:] == ["all", "guard"]


def net(params: dict[str, Any], x: Any) -> jax.Array:
    """Two layers, under scopes whose names look like markup."""
    with jax.named_scope("enc[/b]"):
        hidden = jax.nn.relu(x @ params["a"])
    return jnp.tanh(hidden @ params["b"])


def loss(output: jax.Array, batch: Any) -> jax.Array:
    """A loss of one batch."""
    del batch
    return (output**2).sum(axis=-1)


def activation(name: str) -> None:
    """Value and derivative, eager and compiled, in training and evaluation."""
    act = relujax.get(name)
    params = jax.jit(partial(act.init, X.shape))()
    signal = None if act.signal is None else act.signal.initial

    def total(x: Any, *, train: bool) -> jax.Array:
        key = jax.random.clone(KEY)  # Used again on purpose.
        return act.apply(params, x, key=key, signal=signal, train=train).sum()

    for train in (False, True):
        for transform in (jax.jit,) if GUARDED else (jax.jit, lambda f: f):
            f = transform(jax.value_and_grad(lambda x, t=train: total(x, train=t)))
            value, slope = f(jax.device_put(X))
            assert np.isfinite(float(value)) and slope.dtype == jnp.float32
        key = jax.random.clone(KEY)
        apply = partial(act.apply, params, key=key, signal=signal, train=train)
        half = jax.jit(apply)(HALF)
        assert half.dtype == jnp.bfloat16


def look() -> None:
    """Find, capture, replace, diagnose."""
    params, x = jax.device_put(PARAMS), jax.device_put(X)
    assert len(relujax.find_activations(net, params, x)) == 2
    output, sites = relujax.capture(net)(params, x)
    assert output.shape == (6, 3) and len(sites) == 2
    for spec in ("elu", "n_relu", "rrelu", "prelu", "arelu"):
        replaced = relujax.replace_activations(net, {"relu": spec}, key=KEY)
        learned = jax.jit(replaced.init)(params, x)
        output = jax.jit(partial(replaced.apply, signal=0.1))(learned, params, x)
        assert output.shape == (6, 3)
        assert GUARDED or replaced(params, x).shape == (6, 3)


def diagnosed() -> None:
    """A diagnosis with a loss, as text, table, page and picture."""
    found = relujax.diagnose(net, X, params=PARAMS, loss=loss, batch_size=4)
    print(found.summary(), repr(found), found.table(), found._repr_html_())
    found.report(OUT / "diagnosis.html")
    found.plot()


def monitored() -> None:
    """A monitor over two steps."""
    monitor = relujax.Monitor(net, X)
    for step in range(2):
        monitor.record(step, PARAMS)
    print(monitor.table())
    monitor.plot()


def recycled() -> None:
    """Dead units made anew, with the moments of an optimiser."""
    optimizer = optax.adam(1e-3)
    params = jax.device_put(PARAMS)
    links = {"relu_0": relujax.Link("a", outgoing="b")}
    dead = {"relu_0": jax.device_put(np.array([True, False, False, False, True]))}
    recycle = jax.jit(
        lambda params, state: relujax.recycle(KEY, params, dead, links, opt_state=state)
    )
    recycle(params, jax.jit(optimizer.init)(params))


def cell(activation: str = "n_relu") -> relujax.Cell:
    """A network that trains within a second."""
    return relujax.Cell(
        data="wdbc",
        model="mlp(hidden=(3,))",
        activation=activation,
        objective="binary_cross_entropy",
        epochs=1,
    )


def ran() -> None:
    """Two seeds of one cell, read back."""
    relujax.run([cell()], 2, out=OUT / "run", progress=False)
    results = relujax.Results.load(OUT / "run")
    print(results.table(), results.conclusion(), repr(results))
    results.report(OUT / "report")


def swept() -> None:
    """Two values of a number."""
    axes = {"activation.sigma": [0.1, 1.0]}
    relujax.sweep(cell(), 2, axes, out=OUT / "sweep", progress=False).plot()


def compared() -> None:
    """A network of the user's."""
    from flax import linen as nn

    model = relujax.named("mine", nn.Sequential([nn.Dense(3), nn.relu, nn.Dense(3)]))
    arrays = relujax.named("six", (X, LABELS, X, LABELS))
    results = relujax.compare(
        model, arrays, ["n_relu"], seeds=2, epochs=1, batch_size=4, progress=False
    )
    print(results.conclusion())


def experimented() -> None:
    """A loop of the user's."""

    def train(activation: str, seed: int) -> dict[str, float]:
        return {"score": len(activation) + seed / 10}

    relujax.experiment(
        train, ["relu", "a[/b]"], 3, metric="score", out=OUT / "own", progress=False
    )


def command(*words: str | Path, code: int = 0) -> Callable[[], None]:
    """A call of the command; what it prints is encoded as a terminal would."""

    def call() -> None:
        from relujax.cli import main

        sys.argv = ["relujax", *map(str, words)]
        try:
            main()
        except SystemExit as exit:
            assert exit.code == code, f"exit code {exit.code}, expected {code}"

    return call


NETWORK = """
import jax, numpy as np
weights = np.ones((4, 3), np.float32)
def network(x): return jax.nn.relu(x @ weights)
"""

STUDY = """
import relujax
study = relujax.Study(
    id="tiny", question="does [/b] run?", baseline="relu",
    profiles={"quick": [
        relujax.Cell(data="wdbc", model="mlp(hidden=(3,))", activation=a,
                     objective="binary_cross_entropy", epochs=1)
        for a in ("relu", "n_relu")
    ]},
    seeds={"quick": 2},
)
"""


def maths() -> dict[str, Callable[[], object]]:
    """What computes, and has nothing to do with files and terminals."""
    return {
        **{f"activation {name}": (lambda n=name: activation(n)) for name in KINDS},
        "gain": lambda: [relujax.gain(name) for name in ("relu", "gelu", "n_relu")],
        "properties": lambda: [relujax.properties(name) for name in KINDS],
        "find, capture, replace": look,
        "recycle": recycled,
        "rai": jax.jit(lambda: relujax.rai(KEY, (4, 3))),
        "sweep": swept,
        "compare": compared,
    }


def doors() -> dict[str, Callable[[], object]]:
    """What reads, writes, prints and draws; each finds what those before have made."""
    return {
        "get": lambda: relujax.get("n_relu(sigma=0.1)")._repr_html_(),
        "diagnose": diagnosed,
        "Monitor": monitored,
        "load_dataset": lambda: repr(relujax.load_dataset("wdbc")),
        "list_datasets": relujax.list_datasets,
        "run": ran,
        "experiment": experimented,
        "relujax list": command("list"),
        "relujax show": command("show", "n_relu(sigma=0.1)"),
        "relujax show, plot": command("show", "elu", "--plot", OUT / "elu.png"),
        "relujax show, typo": command("show", "relux[/b]", code=2),
        "relujax data list": command("data", "list"),
        "relujax run": command("run", OUT / "tiny.py", "--out", OUT / "cli"),
        "relujax report": command("report", OUT / "cli", "--study", OUT / "tiny.py"),
        "relujax status": command("status", OUT / "cli"),
        "relujax diagnose": command(
            "diagnose", "mine:network", "--data", OUT / "mine.npy"
        ),
    }


def _mesh() -> None:
    devices = len(jax.devices())
    axis = jax.sharding.AxisType.Explicit
    jax.set_mesh(jax.make_mesh((devices,), ("data",), axis_types=(axis,)))


def _guard() -> None:
    jax.config.update("jax_transfer_guard", "disallow")


def _nobody() -> None:
    """A user without a home and without an entry of the password file."""
    import pwd

    def missing(user: Any) -> None:
        raise KeyError(f"getpwuid(): uid not found: {user}")

    pwd.getpwuid = missing  # pyright: ignore
    pwd.getpwnam = missing  # pyright: ignore


def _deleted() -> None:
    """A working directory that is gone; whoever names an absolute path can work."""
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir(os.getcwd())


_SWITCHES = {"guard": _guard, "mesh": _mesh, "nobody": _nobody, "deleted": _deleted}


def main(what: str, switch: str | None = None) -> None:
    """Run everything, and write what failed."""
    OUT.mkdir(parents=True)
    os.chdir(ROOT)
    sys.path.insert(0, str(OUT))
    (OUT / "tiny.py").write_text(STUDY, encoding="utf-8")
    (OUT / "mine.py").write_text(NETWORK, encoding="utf-8")
    np.save(OUT / "mine.npy", X)
    if switch:
        _SWITCHES[switch]()
    failed = {}
    for name, function in {**(maths() if what == "all" else {}), **doors()}.items():
        spoken = io.StringIO()
        try:
            with contextlib.redirect_stderr(spoken):
                function()
        except (Exception, SystemExit) as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            failed[name] = (
                f"{type(error).__name__}: {str(error)[:300]} "
                f"({where.filename}:{where.lineno}) {spoken.getvalue()[-300:]}"
            )
    (ROOT / "failed.json").write_text(json.dumps(failed), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[2:])
