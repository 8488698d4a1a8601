"""Mutation run: break each activation in turn and see whether a test notices.

  python tests/mutation.py [--jobs N] [--only NAME] [--sample N] [--list]

Each mutant is one small change (a comparison, a constant, an operator, a branch, a
dropped call) in a copy of the package; the copy's tests run until one fails. Test
modules are imported in a fork of a process that already holds JAX. Prints a line for
every survivor and a summary; exits with 1 if an unexplained one is left.
"""

import argparse
import ast
import contextlib
import copy
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("relujax/activations")
# Those that export activations.
MODULES = [
    path.stem
    for path in sorted((ROOT / PACKAGE).glob("_*.py"))
    if "\n__all__ = " in path.read_text()
]
SHARED = ["_numeric", "_spec"]
# Which activations exercise a function that is none of them.
EXERCISED_BY = {
    "n_relu_mean": "n_relu",
    "_surrogated": "n_relu",
    "rrelu_mean": "rrelu",
    "noisy_relu_mean": "noisy_relu",
    "_rectified_mean": "noisy_relu",
    "_root_sigmoid": "noisy_relu",
    "_b_silu": "sugar_relu",
    "_jump": "jump_relu",
    "_jump_jvp": "jump_relu",
    "relu_tails": "gelu or noisy_relu or sugar_relu",
    "with_derivative_of": "sugar_relu or n_relu",
    "_with_derivative_of_jvp": "sugar_relu or n_relu",
}
FAST = ["tests/activations/test_values.py"]
REST = [
    f"tests/activations/test_{topic}.py"
    for topic in "trained stochastic identities registry shapes".split()
]
# Mutants that no test can tell from the original, and why.
UNUSED = "both outcomes are finite, in a branch that the outer where discards"
LAST_BIT = "ReLU and the function agree there to the last bit"
EQUIVALENT = {
    "srelu: jnp.where(x > 0, 0, x) -> jnp.where(x > 0, 1, x)": UNUSED,
    "srelu: x > 0 -> x > 1": UNUSED,
    "squareplus: x > 0 -> x > 1": UNUSED,
    "rational: jnp.where(far, finite, 1) -> jnp.where(far, finite, 1.1)": UNUSED,
    "n_relu_mean: x: ArrayLike, *, sigma: ArrayLike=0.05, surrogate: str | Callable "
    "| None=None -> x: ArrayLike, *, sigma: ArrayLike=0.05500000000000001, surrogate: "
    "str | Callable | None=None": "the mean does not depend on sigma",
    "noisy_relu: x + _root_sigmoid(x) * drawn(normal, key, x) -> x - "
    "_root_sigmoid(x) * drawn(normal, key, x)": "the noise is symmetric",
    "noisy_relu_mean: beyond=8 -> beyond=8.8": LAST_BIT,
    "relu_tails: jnp.abs(x) < beyond -> jnp.abs(x) <= beyond": LAST_BIT,
    "relu_tails: -2 -> -2.2": LAST_BIT,
    "relu_tails: jnp.where(inside, x, 0) -> jnp.where(inside, x, 1)": UNUSED,
} | {
    f"{builder}: params, x, *, key=None, signal=None, train=False -> params, x, *, "
    "key=None, signal=None, train=True": "what is not stochastic ignores train"
    for builder in ("deterministic", "loss_driven", "learnable")
}
SECONDS = 400


class Mutant(NamedTuple):
    module: str
    function: str
    change: str
    line: int
    source: str

    @property
    def name(self) -> str:
        return f"{self.function}: {self.change}"


COMPARISONS = {
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
}
# Calls that can be dropped: f(x, ...) -> x.
DROPPED = (
    "stop_gradient relu relu6 leaky_relu elu celu selu softplus sigmoid log_sigmoid "
    "tanh exp expm1 abs square ndtr clip"
).split()


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """The small changes of one node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        for other in COMPARISONS[type(node.ops[0])]:
            yield ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.UnaryOp):  # -x -> x, not x -> x
        yield node.operand
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield ast.Constant(node.value * 1.1 if node.value else 1)
    elif isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in DROPPED:
            yield node.args[0]
        if called == "relu_tails":
            yield ast.Call(node.args[0], [node.args[1]], [])
        if called == "where":
            test, yes, no = node.args
            yield ast.Call(node.func, [test, no, yes], [])
    elif isinstance(node, ast.Return) and node.value is not None:
        negative = ast.UnaryOp(ast.USub(), node.value)
        if not isinstance(node.value, ast.Name | ast.Tuple | ast.Dict | ast.Constant):
            yield ast.Return(negative)


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of every function of a module."""
    tree = ast.parse((ROOT / PACKAGE / f"{module}.py").read_text())
    functions = [f for f in tree.body if isinstance(f, ast.FunctionDef)]
    for function in functions:
        skip = {
            id(n)
            for part in ast.walk(function)
            if isinstance(part, ast.Raise | ast.JoinedStr)
            or (isinstance(part, ast.arg) and part.annotation)
            for n in ast.walk(part)
        }
        skip |= {id(n) for n in ast.walk(function.returns or ast.Pass())}
        for node in list(ast.walk(function)):
            if id(node) in skip:
                continue
            for variant in variants(node):
                yield _spliced(module, tree, function, node, variant)


def _spliced(module, tree, function, node, variant) -> Mutant:
    """The module with `node` replaced by `variant`, which share their children."""

    class Splice(ast.NodeTransformer):
        def visit(self, visited):
            if visited is node:
                return ast.copy_location(copy.deepcopy(variant), node)
            return self.generic_visit(visited)

    # NodeTransformer edits in place: keep the original tree whole.
    fields = {
        id(n): {k: list(v) if isinstance(v, list) else v for k, v in ast.iter_fields(n)}
        for n in ast.walk(tree)
    }
    nodes = list(ast.walk(tree))
    # A bare number says too little: show what it is part of.
    shown = node
    if isinstance(node, ast.Constant):
        shown = next(n for n in nodes if node in ast.iter_child_nodes(n))
    before = ast.unparse(shown)
    source = ast.unparse(ast.fix_missing_locations(Splice().visit(tree)))
    after = ast.unparse(variant if shown is node else shown)
    for n in nodes:
        for name, field in fields[id(n)].items():
            setattr(n, name, field)
    name = f"{before} -> {after}"
    return Mutant(module, function.name, name, node.lineno, source)


def killed(mutant: Mutant) -> bool:
    """Whether a test fails; runs in a fork, which it leaves dirty."""
    with tempfile.TemporaryDirectory() as folder:
        for part in ("relujax", "tests"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, Path(folder, part), ignore=ignore)
        shutil.copy(ROOT / "pyproject.toml", folder)
        Path(folder, PACKAGE, f"{mutant.module}.py").write_text(mutant.source)
        os.chdir(folder)
        sys.path.insert(0, folder)
        selected = EXERCISED_BY.get(mutant.function, mutant.function)
        everything = mutant.module in SHARED and mutant.function not in EXERCISED_BY
        narrow = [] if everything else ["-k", selected]
        fast = REST if everything else FAST
        slow = FAST if everything else REST
        return run_tests(fast, narrow) or run_tests(slow, narrow)


def run_tests(files: list[str], options: list[str]) -> bool:
    import pytest

    quiet = ["-x", "-q", "-p", "no:cacheprovider"]
    # Hypothesis is here before pytest could rewrite it.
    quiet += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
        code = pytest.main([*quiet, *options, *files])
    return code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def fork(mutant: Mutant) -> int:
    """Start a child that exits with 0 if the mutant survived and 1 if it did not."""
    child = os.fork()
    if child:
        return child
    signal.alarm(SECONDS)  # a mutant that hangs is noticed, too
    code = 1
    try:
        code = int(killed(mutant))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutate every activation.")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="functions whose name has this")
    parser.add_argument("--sample", type=int, help="so many of them, evenly spread")
    parser.add_argument("--list", action="store_true", help="print them, run nothing")
    options = parser.parse_args()
    found = [m for module in MODULES + SHARED for m in mutants(module)]
    found = [m for m in found if options.only in m.function]
    if options.sample:
        found = found[:: -(-len(found) // options.sample)]
    if options.list:
        for mutant in found:
            print(f"{mutant.module}:{mutant.line} {mutant.name}")
        print(f"{len(found)} mutants")
        return 0

    os.environ["JAX_PLATFORMS"] = "cpu"
    # Half the time goes into compiling, and no mutant hides in an optimisation.
    os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
    import chex  # noqa: F401
    import jax.test_util  # noqa: F401

    # The script itself is broken if the package as it stands does not survive.
    whole = (ROOT / PACKAGE / "_rectifiers.py").read_text()
    if os.waitpid(fork(Mutant("_rectifiers", "al_relu", "none", 0, whole)), 0)[1]:
        print("Expected the unchanged package to pass its tests, and it does not.")
        return 2

    survivors, running, waiting = [], {}, list(reversed(found))
    while waiting or running:
        while waiting and len(running) < options.jobs:
            mutant = waiting.pop()
            running[fork(mutant)] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        if status == 0:
            survivors.append(mutant)
            reason = EQUIVALENT.get(mutant.name, "SURVIVED")
            print(
                f"{mutant.module}:{mutant.line} {mutant.name}  [{reason}]", flush=True
            )
    unexplained = [m for m in survivors if m.name not in EQUIVALENT]
    dead = len(found) - len(survivors)
    print(
        f"{len(found)} mutants: {dead} killed ({dead / len(found):.1%}), "
        f"{len(survivors) - len(unexplained)} equivalent, "
        f"{len(unexplained)} unexplained survivors"
    )
    return int(bool(unexplained))


if __name__ == "__main__":
    sys.exit(main())
