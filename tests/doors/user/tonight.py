import sys

import jax.numpy as jnp
from mypackage.losses import decayed
from mypackage.nets import ResNet

import relujax


@relujax.register("wobble")
def wobble(x, *, alpha=0.3):
    return jnp.maximum(x, 0) + alpha * jnp.sin(x)


table = "csv(path='cohort.csv', target='outcome', missing='median', validation=0.2)"
cell = {
    "data": table,
    "model": ResNet(width=8),
    "optimizer": decayed,
    "objective": "focal",
    "metrics": ("auroc",),
    "patience": 4,
}
wanted = ("own", "wobble", "elu")
cells = [relujax.Cell(**cell, activation=a, epochs=12, batch_size=32) for a in wanted]
kept = {"out": "runs/cohort", "metric": "auroc", "plan": "map"}
found = relujax.run(cells, int(sys.argv[1]), **kept)
print(found.report("report"), found.conclusion(), sep="\n")
