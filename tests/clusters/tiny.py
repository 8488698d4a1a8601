"""Forty small networks in two programs."""

import relujax

study = relujax.Study(
    id="tiny",
    paper=relujax.Paper(title="Tiny", authors="Nobody"),
    question="does it run?",
    baseline="relu",
    profiles={
        "quick": [
            relujax.Cell(
                data="wdbc",
                model=f"mlp(hidden=({width},))",
                activation=activation,
                objective="binary_cross_entropy",
                epochs=3,
            )
            for width in (4, 8)
            for activation in ("relu", "n_relu")
        ]
    },
    seeds={"quick": 10},
)
