"""Sixteen agents a rectifier."""

import sys

from mypackage.agent import dqn

import relujax

cells = [
    relujax.Cell(training=dqn, activation=a, epochs=int(sys.argv[1]))
    for a in ("relu", "leaky_relu(negative_slope=0.1)")
]
found = relujax.run(
    cells, 16, out=sys.argv[2], metric="score", plan="map", progress=False
)
last = found.frame[found.frame["epoch"] == found.frame["epoch"].max()]
print(last.groupby("activation")["score"].mean().to_dict())
