"""A study of a user's own: which activation suits the cohort?"""

import relujax
from relujax.studies import better

CSV = "csv(path='cohort.csv', target='outcome', missing='median', validation=0.2)"


def cell(model, activation):
    return relujax.Cell(
        data=CSV,
        model=model,
        activation=activation,
        optimizer="mypackage.losses:decayed(learning_rate=0.01)",
        objective="focal(gamma=1.0)",
        metrics=("auroc", "mypackage.losses:mean_margin"),
        epochs=3,
        batch_size=32,
    )


study = relujax.Study(
    id="cohort",
    question="which activation suits the cohort?",
    baseline="own",
    profiles={
        "quick": [cell("mypackage.nets:ResNet", a) for a in ("own", "elu")],
        "nnx": [cell("mypackage.nets:NnxResNet", a) for a in ("own", "elu")],
        "equinox": [cell("mypackage.nets:EquinoxResNet", a) for a in ("own", "elu")],
    },
    seeds={"quick": 3, "nnx": 2, "equinox": 2},
    claims=[
        relujax.Claim(
            id="elu-better",
            quote="ELU is better than what the model has.",
            where="our question",
            test=better("elu", "own"),
        )
    ],
)
